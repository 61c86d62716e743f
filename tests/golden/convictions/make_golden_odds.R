# Golden numbers of the standardised odds: censoring weights, logistic and Firth models, risks with and
# without a measure, what goes through a mediator, and errors by cluster.
#   cd tests/golden/convictions && Rscript make_golden_odds.R
# Writes cases.csv (the data), odds.csv, odds_versions.csv. Errors are the infinitesimal jackknife, by
# brute force: everything is computed anew with each person's weight a little up and a little down.
# Firth: the penalised likelihood maximised without derivatives (Nelder-Mead), then Newton's steps on its score.
library(survival)
set.seed(12)
n <- 160
cases <- data.frame(victim = sample(0:119, n, TRUE), started = rbinom(n, 1, 0.35), age = round(rnorm(n), 2),
  high = rbinom(n, 1, 0.4))
cases$takes_part <- rbinom(n, 1, plogis(-0.2 + 0.9 * cases$started + 0.3 * cases$high))
end <- sample(5:40, n, TRUE)
case_end <- ceiling(rexp(n, 0.06)) + 2
convicted <- rbinom(n, 1, plogis(-1.2 + 0.6 * cases$started + 0.8 * cases$takes_part + 0.4 * cases$age))
cases$stop <- pmin(end, case_end)
cases$cause <- ifelse(case_end <= end, ifelse(convicted == 1, 1, 2), 0)
write.csv(cases, "cases.csv", row.names = FALSE, quote = FALSE)
until <- 25

x_of <- function(d) cbind(1, d$age, d$high, d$started)
firth_loglik <- function(b, x, y, w) {
  line <- drop(x %*% b); p <- plogis(line)
  sum(w * (y * line - pmax(line, 0) - log1p(exp(-abs(line))))) + 0.5 * log(det(t(x) %*% (x * (w * p * (1 - p)))))
}
firth <- function(x, y, w) {
  b <- optim(rep(0, ncol(x)), function(b) -firth_loglik(b, x, y, w), control = list(maxit = 5000, reltol = 1e-12))$par
  score <- function(b) {  # the analytical score of the penalised likelihood
    p <- plogis(drop(x %*% b)); v <- w * p * (1 - p); xw <- x * sqrt(v)
    h <- diag(xw %*% solve(t(xw) %*% xw) %*% t(xw))
    drop(t(x) %*% (w * (y - p) + h * (0.5 - p)))
  }
  for (i in 1:20) { p <- plogis(drop(x %*% b)); b <- b + solve(t(x) %*% (x * (w * p * (1 - p))), score(b)) }
  b
}
compute <- function(u) {  # u: person weights
  censored <- cases$cause == 0 & cases$stop < until
  day <- pmin(cases$stop, until)
  curve <- survfit(Surv(day + 0.5 * censored, censored) ~ 1, weights = u)
  g <- summary(curve, times = day, extend = TRUE)
  stays <- stepfun(curve$time, c(1, curve$surv))(day - 0.25)
  w <- ifelse(censored, 0, 1 / stays)
  y <- as.numeric(cases$cause == 1 & cases$stop <= until)
  strict <- glm.control(epsilon = 1e-14, maxit = 100)
  fit <- suppressWarnings(glm(y ~ age + high + started, binomial, data = cases, weights = u * w, control = strict))
  b <- coef(fit)
  x1 <- x_of(transform(cases, started = 1)); x0 <- x_of(transform(cases, started = 0))
  mean_of <- function(v) sum(u * v) / sum(u)
  r1 <- mean_of(plogis(drop(x1 %*% b))); r0 <- mean_of(plogis(drop(x0 %*% b)))
  both <- suppressWarnings(glm(y ~ age + high + started + takes_part, binomial, data = cases, weights = u * w, control = strict))
  middle <- glm(takes_part ~ age + high + started, binomial, data = cases, weights = u, control = strict)
  m <- function(a, s) { p <- plogis(drop((if (s) x1 else x0) %*% coef(middle))); x <- if (a) x1 else x0
    yes <- plogis(drop(cbind(x, 1) %*% coef(both))); no <- plogis(drop(cbind(x, 0) %*% coef(both)))
    mean_of(yes * p + no * (1 - p)) }
  c(risk_start = r1, risk_no_start = r0, risk_difference = r1 - r0, log_odds_ratio = qlogis(r1) - qlogis(r0),
    through = m(1, 1) - m(1, 0), other = m(1, 0) - m(0, 0), coef_started = unname(b[4]), sum_weights = sum(u * w))
}
one <- rep(1, n)
found <- compute(one)
eps <- 1e-4
moved <- t(sapply(seq_len(n), function(i) { up <- one; up[i] <- 1 + eps; down <- one; down[i] <- 1 - eps
  (compute(up) - compute(down)) / (2 * eps) }))
by_victim <- rowsum(moved, cases$victim)
se <- sqrt(colSums(by_victim^2))
golden <- data.frame(what = names(found), value = sprintf("%.10f", found), se = sprintf("%.10f", se))
# Firth on the few: the first 40, unweighted and weighted
few <- cases[1:40, ]; few$y <- as.numeric(few$cause == 1); few$w <- 0.5 + (seq_len(40) %% 4) / 3
for (weighted in c(FALSE, TRUE)) {
  w <- if (weighted) few$w else rep(1, 40)
  b <- firth(x_of(few), few$y, w)
  again <- optim(b, function(b) -firth_loglik(b, x_of(few), few$y, w), method = "BFGS", control = list(reltol = 1e-15, maxit = 1000))
  stopifnot(max(abs(again$par - b)) < 1e-4, again$value > -firth_loglik(b, x_of(few), few$y, w) - 1e-9)
  golden <- rbind(golden, data.frame(what = paste0(if (weighted) "weighted_" else "", "firth_", c("intercept", "age", "high", "started")),
    value = sprintf("%.10f", b), se = ""))
  line <- drop(x_of(few)[, -1] %*% b[-1])
  flic <- coef(suppressWarnings(glm(few$y ~ 1 + offset(line), binomial, weights = w, control = glm.control(epsilon = 1e-14))))
  golden <- rbind(golden, data.frame(what = paste0(if (weighted) "weighted_" else "", "flic_intercept"), value = sprintf("%.10f", flic), se = ""))
}
write.csv(golden, "odds.csv", row.names = FALSE, quote = FALSE)
write.csv(data.frame(what = c("R", "survival"), version = c(as.character(getRversion()), as.character(packageVersion("survival")))),
  "odds_versions.csv", row.names = FALSE, quote = FALSE)
