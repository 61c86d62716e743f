# Golden numbers of calibration, discrimination and membership weights, with the people they were
# computed from. Run in this folder:  Rscript make_golden.R
# Writes people.csv (400 random people of 180 families, made here) and
#   numbers.csv    a row per number: what, at (the predicted risk, for the curve), estimate, se. All by base R's
#                  glm and survival's survfit; se: the derivative in each family's weight, by central differences
#                  (nothing is derived by hand), squared, summed, times families / (families - 1).
#   score.csv      the area under the curve and the Brier score of riskRegression::Score, people as clusters
#   transport.csv  weights by glm; se: the sandwich of the stacked estimating equations, differentiated numerically
#   versions.csv
suppressPackageStartupMessages({library(survival); library(splines); library(riskRegression); library(prodlim)})
number <- function(x) formatC(x, digits = 12, format = "g")
set.seed(18)
n <- 400; day <- 240
people <- data.frame(family = sample(1:180, n, TRUE), x = round(rnorm(n), 3), z = rbinom(n, 1, 0.4))
people$risk <- round(plogis(-0.9 + 0.8 * people$x + 0.5 * people$z), 6)
ends <- cbind(rexp(n, 0.002 * exp(0.5 * people$x + 0.6 * people$z)), rexp(n, 0.0008 * exp(0.3 * people$x)),
              runif(n, 60, 900))
people$time <- ceiling(pmin(ends[, 1], ends[, 2], ends[, 3]))
people$cause <- c(1, 2, 0)[max.col(-ends)]
people$time[people$time == day & people$cause == 0] <- day + 1  # Score asks for more than the day, ours for the day
write.csv(people, "people.csv", row.names = FALSE)

# who has an event on a day is not at risk of being censored on it
weigh <- function(d, w) {
  curve <- survfit(Surv(time - 0.5 * (cause > 0), cause == 0) ~ 1, data = d, weights = w)
  stays <- stepfun(curve$time, c(1, curve$surv))
  until <- pmin(d$time, day) - 0.5
  ifelse(d$cause == 0 & d$time < day, 0, w / stays(until))
}
exact <- glm.control(epsilon = 1e-14, maxit = 100)
at <- c(0.15, 0.3, 0.5, 0.7)
numbers <- function(w) {
  d <- people
  d$v <- weigh(d, w); d$event <- as.numeric(d$cause == 1 & d$time <= day); d$line <- qlogis(d$risk)
  states <- factor(d$cause, 0:2, c("censored", "outcome", "death"))
  aj <- summary(survfit(Surv(d$time, states) ~ 1, weights = w), times = day)$pstate[2]
  said <- sum(w * d$risk) / sum(w)
  known <- d[d$v > 0, ]
  fit <- function(f) suppressWarnings(glm(f, family = quasibinomial, data = known, weights = known$v, control = exact))
  knots <- quantile(d$line[weigh(d, rep(1, n)) > 0], c(0.05, 0.35, 0.65, 0.95))
  curve <- fit(event ~ ns(line, knots = knots[2:3], Boundary.knots = knots[c(1, 4)]))
  drawn <- predict(curve, data.frame(line = qlogis(at)), type = "response")
  cases <- known[known$event == 1, ]; others <- known[known$event == 0, ]
  wins <- outer(cases$risk, others$risk, ">") + 0.5 * outer(cases$risk, others$risk, "==")
  auc <- sum(outer(cases$v, others$v) * wins) / (sum(cases$v) * sum(others$v))
  brier <- sum(known$v * (known$event - known$risk)^2) / sum(known$v)
  c(difference = aj - said, log_ratio = log(aj / said), observed = aj, predicted = said,
    intercept = unname(coef(fit(event ~ offset(line)))), weak = unname(coef(fit(event ~ line))),
    curve = unname(drawn), auc = auc, brier = brier, saved = 1 - brier / (aj * (1 - aj)))
}
value <- numbers(rep(1, n))
families <- unique(people$family); h <- 1e-4
moved <- sapply(families, function(f) {
  mine <- people$family == f
  (numbers(1 + h * mine) - numbers(1 - h * mine)) / (2 * h)
})
se <- sqrt(length(families) / (length(families) - 1) * rowSums(moved^2))
where <- rep("", length(value)); where[grepl("^curve", names(value))] <- at
write.csv(data.frame(what = names(value), at = where, estimate = number(value), se = number(se)), "numbers.csv",
          row.names = FALSE)

said <- Score(list(model = matrix(people$risk)), formula = Hist(time, cause) ~ 1, data = people, times = day, cause = 1,
              metrics = c("auc", "brier"), se.fit = TRUE, conf.int = TRUE, null.model = FALSE, cens.model = "km")
told <- rbind(data.frame(what = "auc", estimate = said$AUC$score$AUC, se = said$AUC$score$se),
              data.frame(what = "brier", estimate = said$Brier$score$Brier, se = said$Brier$score$se))
write.csv(transform(told, estimate = number(estimate), se = number(se)), "score.csv", row.names = FALSE)

# ---- what was found of some, for others: source are those of x below 0.3 or so ---------------------------------
people$is_source <- as.numeric((seq_len(n) * 7919) %% 100 < 100 * plogis(0.3 - 0.6 * people$x))
people$is_source[people$family %in% people$family[people$is_source == 1]] <- 1  # no family in both
people$found <- round(0.1 + 0.2 * people$x - 0.1 * people$z + ((seq_len(n) * 104729) %% 1000) / 1000 - 0.5, 4)
write.csv(people[, c("family", "x", "z", "is_source", "found")], "members.csv", row.names = FALSE)
X <- cbind(1, people$x, people$z); s <- people$is_source; y <- people$found
equations <- function(p) {  # a row per person
  m <- plogis(X %*% p[1:3]); odds <- s * (1 - m) / m
  cbind(X * c(s - m), odds * (y - p[4]), X * c(odds * (y - X %*% p[5:7])), (1 - s) * (X %*% p[5:7] - p[8]))
}
member <- glm(s ~ people$x + people$z, family = binomial, control = exact)
odds <- s * (1 - fitted(member)) / fitted(member)
line <- lm(y ~ people$x + people$z, weights = odds, subset = s == 1)
p <- c(coef(member), sum(odds * y) / sum(odds), coef(line), mean((X %*% coef(line))[s == 0]))
stopifnot(max(abs(colSums(equations(p)))) < 1e-6)
jacobian <- sapply(seq_along(p), function(k) {
  e <- replace(numeric(length(p)), k, 1e-5)
  colSums(equations(p + e) - equations(p - e)) / 2e-5
})
moves <- rowsum(equations(p), people$family) %*% t(solve(jacobian))
g <- nrow(moves)
errors <- sqrt(g / (g - 1) * colSums(moves^2))
write.csv(data.frame(what = c("weights", "regression", "effective_size"),
                     estimate = number(c(p[c(4, 8)], sum(odds)^2 / sum(odds^2))),
                     se = c(number(errors[c(4, 8)]), "")), "transport.csv", row.names = FALSE)
write.csv(data.frame(package = c("R", "survival", "riskRegression", "prodlim"),
                     version = c(as.character(getRversion()), sapply(c("survival", "riskRegression", "prodlim"),
                                 function(p) as.character(packageVersion(p))))), "versions.csv", row.names = FALSE)
