# Golden numbers of question 3: weighted Aalen-Johansen within levels, the Cox model with measures by
# level, Wald's test, Holm's adjustment, partial pooling.
#   cd tests/golden/subgroups && Rscript make_golden.R
# Reads people and weights of ../target_trial (made by R there). Writes level_risks.csv, episodes.csv
# (the data of the Cox model), hazards.csv, contrasts.csv, pooled_input.csv, pooled.csv, holm.csv,
# versions.csv.
library(survival)
save <- function(frame, file) write.csv(format(frame, digits = 15, trim = TRUE), file, row.names = FALSE, quote = FALSE)

# 1. Curves within levels, the weights as they are in the whole cohort.
people <- read.csv("../target_trial/people.csv")
weights <- read.csv("../target_trial/weights.csv")
days <- c(3, 6, 20, 60)
grace <- 5
risks <- do.call(rbind, lapply(c("natural_law", "no_start"), function(arm) {
  w <- as.matrix(weights[weights$arm == arm, -(1:2)])
  pieces <- do.call(rbind, lapply(seq_len(nrow(people)), function(i) {
    begin <- 0:grace
    end <- c(seq_len(grace), max(people$stop_day[i], grace + 1))
    is_in <- begin < people$stop_day[i] & w[i, ] > 0
    end <- pmin(end, people$stop_day[i])
    data.frame(risk = people$risk[i], begin, end, weight = w[i, ],
      cause = ifelse(end == people$stop_day[i], people$cause[i], 0))[is_in, ]
  }))
  pieces$state <- factor(pieces$cause, 0:3)
  do.call(rbind, lapply(sort(unique(pieces$risk)), function(level) {
    mine <- pieces[pieces$risk == level, ]
    mine$row <- seq_len(nrow(mine))
    fit <- survfit(Surv(begin, end, state) ~ 1, mine, weights = weight, id = row)
    data.frame(arm, level, time_days = days,
      risk = summary(fit, times = days, extend = TRUE)$pstate[, 2])
  }))
}))
save(risks, "level_risks.csv")

# 2. The Cox model, a coefficient of each measure in each level, two entries of some victims.
set.seed(23)
n <- 500
base <- data.frame(entry_id = seq_len(n) - 1, cluster_id = sample(0:399, n, TRUE),
  sex = sample(c("female", "male"), n, TRUE), level = sample(c("a", "b", "c"), n, TRUE, c(.5, .3, .2)))
on_a <- ifelse(runif(n) < 0.6, sample(0:60, n, TRUE), 999)
on_b <- ifelse(runif(n) < 0.5, sample(0:90, n, TRUE), 999)
effect <- c(a = -0.2, b = 0.4, c = -0.7)[base$level]
rows <- do.call(rbind, lapply(seq_len(n), function(i) {
  cuts <- sort(unique(c(0, on_a[i], on_b[i], 300)[c(0, on_a[i], on_b[i], 300) <= 300]))
  out <- NULL
  for (k in seq_len(length(cuts) - 1)) {
    a <- as.integer(cuts[k] >= on_a[i]); b <- as.integer(cuts[k] >= on_b[i])
    rate <- 0.004 * exp(0.3 * (base$sex[i] == "male") + a * effect[i] - 0.3 * b)
    wait <- ceiling(rexp(1, rate))
    is_event <- as.integer(cuts[k] + wait <= cuts[k + 1])
    stop <- min(cuts[k] + wait, cuts[k + 1])
    out <- rbind(out, data.frame(base[i, ], start_day = cuts[k], stop_day = stop, is_event, a, b))
    if (is_event) break
  }
  out
}))
write.csv(rows, "episodes.csv", row.names = FALSE)
fit <- coxph(Surv(start_day, stop_day, is_event) ~ sex + factor(level) + a:factor(level) + b:factor(level),
  rows, cluster = cluster_id, control = coxph.control(eps = 1e-11, iter.max = 50))
beta <- coef(fit); spread <- vcov(fit)
pick <- function(measure) paste0("factor(level)", c("a", "b", "c"), ":", measure)
save(do.call(rbind, lapply(c("a", "b"), function(m) data.frame(measure = m, level = c("a", "b", "c"),
  log_hazard_ratio = beta[pick(m)], se = sqrt(diag(spread))[pick(m)]))), "hazards.csv")
tested <- do.call(rbind, lapply(c("a", "b"), function(m) {
  est <- beta[pick(m)]; v <- spread[pick(m), pick(m)]
  against <- function(k) { se <- sqrt(v[k, k] + v[1, 1] - 2 * v[1, k])
    gap <- est[k] - est[1]; c(gap, se, 2 * pnorm(-abs(gap) / se)) }
  turn <- rbind(c(-1, 1, 0), c(-1, 0, 1))
  wald <- t(turn %*% est) %*% solve(turn %*% v %*% t(turn)) %*% (turn %*% est)
  rbind(data.frame(measure = m, level = "b_less_a", t(setNames(against(2), c("estimate", "se", "p_value")))),
    data.frame(measure = m, level = "c_less_a", t(setNames(against(3), c("estimate", "se", "p_value")))),
    data.frame(measure = m, level = "", estimate = NA, se = NA, p_value = pchisq(wald, 2, lower.tail = FALSE)))
}))
save(tested, "contrasts.csv")

# 3. Partial pooling by explicit loops and numerical integration.
k <- 24
input <- data.frame(family = rep(0:7, each = 3), variance = runif(k, 0.005, 0.08))
input$estimate <- rnorm(8, 0, 0.3)[input$family + 1] + rnorm(k, 0, 0.25) + rnorm(k, 0, sqrt(input$variance))
input <- rbind(input, data.frame(family = 8, variance = 0.02, estimate = 0.4))
save(input, "pooled_input.csv")
input <- read.csv("pooled_input.csv")
# Restricted likelihood with the means integrated out, truths by normal conjugacy, all averaged over
# shrinkage at the harmonic mean of the variances (uniform) by integrate().
middle <- nrow(input) / sum(1 / input$variance)
likelihood <- function(between) prod(sapply(unique(input$family), function(f) {
  one <- input[input$family == f, ]
  w <- 1 / (one$variance + between)
  prod(sqrt(w)) / sqrt(sum(w)) * exp(-sum(w * (one$estimate - sum(w * one$estimate) / sum(w))^2) / 2)
}))
given <- function(between, i) {
  one <- input[input$family == input$family[i], ]
  w <- 1 / (one$variance + between)
  mean <- sum(w * one$estimate) / sum(w)
  drawn <- input$variance[i] / (input$variance[i] + between)
  c(value = mean + (1 - drawn) * (input$estimate[i] - mean),
    variance = (1 - drawn) * input$variance[i] + drawn^2 / sum(w), drawn = drawn)
}
average <- function(what) integrate(function(share) sapply(share, function(s) {
  between <- middle * (1 - s) / s
  likelihood(between) * what(between)
}), 0, 1, rel.tol = 1e-10, subdivisions = 2000)$value
whole <- average(function(between) 1)
pooled <- do.call(rbind, lapply(seq_len(nrow(input)), function(i) {
  value <- average(function(b) given(b, i)["value"]) / whole
  square <- average(function(b) given(b, i)["value"]^2 + given(b, i)["variance"]) / whole
  data.frame(estimate = value, se = sqrt(square - value^2),
    drawn = average(function(b) given(b, i)["drawn"]) / whole)
}))
save(pooled, "pooled.csv")
p <- c(0.001, 0.2, 0.012, 0.03, 0.5, 0.0004, 0.03)
save(data.frame(p, holm = p.adjust(p, "holm")), "holm.csv")
write.csv(data.frame(what = c("R", "survival", "call", "made_by"),
  value = c(R.version.string, as.character(packageVersion("survival")),
    "coxph(Surv(start_day, stop_day, is_event) ~ sex + factor(level) + a:factor(level) + b:factor(level), cluster = cluster_id)",
    "make_golden.R")), "versions.csv", row.names = FALSE)
