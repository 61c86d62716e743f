# Golden numbers of three strategies for two agencies: base glm on person-days, the chance of
# following each strategy found by summing over all pairs of start days one by one, and
# survival::survfit(..., weights) with several states on start-stop rows.
#   cd tests/golden/three_strategies && Rscript make_golden.R
# Writes people.csv (the data), weights.csv, risks.csv, versions.csv.
library(survival)
set.seed(5)
n <- 250
g <- 5
within <- 2
days <- c(3, 6, 20, 60)
people <- data.frame(entry = seq_len(n) - 1, sex = sample(c("female", "male"), n, TRUE),
  earlier = rpois(n, 0.8))
need <- 0.5 * (people$sex == "male") + 0.3 * people$earlier
tp <- rep(NA, n)
ts <- rep(NA, n)
for (day in 0:9) {
  p <- plogis(-2.4 + need + 0.8 * (day == 0) + 0.9 * !is.na(ts))
  tp <- ifelse(is.na(tp) & runif(n) < p, day, tp)
  s <- plogis(-2.6 + need + 0.9 * (!is.na(tp) & tp < day) + 1.5 * (!is.na(tp) & tp == day))
  ts <- ifelse(is.na(ts) & runif(n) < s, day, ts)
}
people$police_day <- tp
people$social_day <- ts
people$stop_day <- pmin(60, ceiling(rexp(n, 0.012 * exp(need - 0.3))))
people$cause <- ifelse(people$stop_day == 60 & runif(n) < 0.8, 0, sample(c(0, 1, 1, 1, 2, 3), n, TRUE))
write.csv(people, "people.csv", row.names = FALSE, na = "")

kept <- function(day) with(people, ifelse(!is.na(day) & day < stop_day & day <= g, day, NA))
P <- kept(people$police_day)
S <- kept(people$social_day)
interval_of <- function(day) cut(day, c(-1, 0, 2, 5), labels = c("0", "1-2", "3-5"))
rows_of <- function(own, other) do.call(rbind, lapply(seq_len(n), function(i) {
  last <- min(people$stop_day[i] - 1, g, if (is.na(own[i])) Inf else own[i])
  day <- 0:last
  data.frame(people[rep(i, length(day)), c("sex", "earlier")], interval = interval_of(day),
    y = as.integer(!is.na(own[i]) & day == own[i]),
    before = as.integer(!is.na(other[i]) & other[i] < day),
    same = as.integer(!is.na(other[i]) & other[i] == day))
}))
tight <- glm.control(epsilon = 1e-14, maxit = 100)
police <- glm(y ~ 0 + interval + before + sex + earlier, binomial, rows_of(P, S), control = tight)
social <- glm(y ~ 0 + interval + before + same + sex + earlier, binomial, rows_of(S, P), control = tight)
hazard <- function(model, before, same) {
  grid <- expand.grid(day = 0:g, entry = seq_len(n))
  new <- data.frame(people[grid$entry, c("sex", "earlier")], interval = interval_of(grid$day),
    before = before, same = same)
  matrix(predict(model, new, type = "response"), n, g + 1, byrow = TRUE)
}
p0 <- hazard(police, 0, 0)
p1 <- hazard(police, 1, 0)
s0 <- hazard(social, 0, 0)
s1 <- hazard(social, 1, 0)
s2 <- hazard(social, 0, 1)
# The probability of a pair of start days (g + 1: none), day by day, from a state at day k on.
pair_chance <- function(i, a, b, from) {
  chance <- 1
  for (day in from:g) {
    if (a >= day) {
      h <- if (b < day) p1[i, day + 1] else p0[i, day + 1]
      chance <- chance * (if (a == day) h else 1 - h)
    }
    if (b >= day) {
      h <- if (a < day) s1[i, day + 1] else if (a == day) s2[i, day + 1] else s0[i, day + 1]
      chance <- chance * (if (b == day) h else 1 - h)
    }
  }
  chance
}
follows <- list(
  both = function(a, b) a <= g && b <= g && abs(a - b) <= within,
  one = function(a, b) (a <= g) != (b <= g),
  none = function(a, b) a > g && b > g)
# The chance that the strategy is followed, given what has started up to day t (t = -1: nothing).
follow_chance <- function(i, rule, t) {
  a_known <- !is.na(P[i]) && P[i] <= t
  b_known <- !is.na(S[i]) && S[i] <= t
  as <- if (a_known) P[i] else (t + 1):(g + 1)
  bs <- if (b_known) S[i] else (t + 1):(g + 1)
  total <- 0
  for (a in as) for (b in bs) if (rule(a, b)) {
    total <- total + if (t == g) 1 else pair_chance(i, a, b, t + 1)
  }
  total
}
told <- list()
risks <- list()
for (name in names(follows)) {
  rule <- follows[[name]]
  weight <- t(sapply(seq_len(n), function(i)
    sapply(0:g, function(t) follow_chance(i, rule, t)) / follow_chance(i, rule, -1)))
  colnames(weight) <- paste0("day_", 0:g)
  told[[name]] <- data.frame(strategy = name, format(as.data.frame(weight), digits = 12))
  pieces <- do.call(rbind, lapply(seq_len(n), function(i) {
    begin <- 0:min(people$stop_day[i] - 1, g)
    end <- c(begin[-1], people$stop_day[i])
    data.frame(row = i, begin = begin, end = end, weight = weight[i, begin + 1],
      state = ifelse(end == people$stop_day[i], people$cause[i], 0))
  }))
  # weight 0: left. A weight that changes within a row of survfit needs an id of its own a piece.
  pieces <- pieces[pieces$weight > 0, ]
  pieces$state <- factor(pieces$state, 0:3, c("censored", "outcome", "death", "emigration"))
  fit <- survfit(Surv(begin, end, state) ~ 1, pieces, weights = weight, id = seq_len(nrow(pieces)))
  at <- summary(fit, times = days, extend = TRUE)
  risks[[name]] <- data.frame(strategy = name, time_days = days,
    format(data.frame(outcome = at$pstate[, 2], death = at$pstate[, 3], emigration = at$pstate[, 4]), digits = 12))
}
write.csv(do.call(rbind, told), "weights.csv", row.names = FALSE, quote = FALSE)
write.csv(do.call(rbind, risks), "risks.csv", row.names = FALSE, quote = FALSE)
write.csv(data.frame(what = c("R", "survival"),
  value = c(R.version.string, as.character(packageVersion("survival")))), "versions.csv", row.names = FALSE)
