# Golden numbers of the target trial by clones: base glm on person-days, weights written out,
# survival::survfit(..., weights, id) with several states on start-stop rows.
#   cd tests/golden/target_trial && Rscript make_golden.R
# Writes people.csv (the data), coefficients.csv, weights.csv, risks.csv, versions.csv.
library(survival)
set.seed(7)
n <- 400
grace <- 5
days <- c(3, 5, 6, 20, 60)
people <- data.frame(
  entry = seq_len(n) - 1,
  sex = sample(c("female", "male"), n, TRUE),
  risk = sample(c("high", "low", "medium"), n, TRUE),
  earlier = rpois(n, 0.8)
)
# another measure, in force from the beginning of other_day on (NA: never)
people$other_day <- ifelse(runif(n) < 0.5, sample(0:8, n, TRUE), NA)
need <- 0.7 * (people$risk == "high") + 0.2 * people$earlier
start <- rep(NA, n)
for (day in 0:12) {
  other <- !is.na(people$other_day) & people$other_day <= day
  p <- plogis(-2.6 + 0.8 * (day == 0) + need + 0.9 * other)
  start <- ifelse(is.na(start) & runif(n) < p, day, start)
}
people$start_day <- start
people$stop_day <- pmin(60, ceiling(rexp(n, 0.012 * exp(need - 0.3))))
people$cause <- ifelse(people$stop_day == 60 & runif(n) < 0.8, 0, sample(c(0, 1, 1, 1, 2, 3), n, TRUE))
write.csv(people, "people.csv", row.names = FALSE, na = "")

# A start on the last day of follow-up comes after it; one after the grace time is none within it.
s <- with(people, ifelse(!is.na(start_day) & start_day < stop_day & start_day <= grace, start_day, NA))
# Person-days at risk of a start; intervals 0, 1-2, 3-5 share an intercept.
interval_of <- function(day) cut(day, c(-1, 0, 2, 5), labels = c("day 0-0", "day 1-2", "day 3-5"))
rows <- do.call(rbind, lapply(seq_len(n), function(i) {
  last <- min(people$stop_day[i] - 1, grace, if (is.na(s[i])) Inf else s[i])
  day <- 0:last
  data.frame(people[rep(i, length(day)), ], day = day,
    y = as.integer(!is.na(s[i]) & day == s[i]))
}))
rows$interval <- interval_of(rows$day)
rows$other <- as.integer(!is.na(rows$other_day) & rows$other_day <= rows$day)
tight <- glm.control(epsilon = 1e-14, maxit = 100)
daily <- glm(y ~ 0 + interval + other + sex + risk + earlier, binomial, rows, control = tight)
law <- glm(y ~ 0 + interval + sex + risk + earlier, binomial, rows, control = tight)
ends <- people[people$stop_day > grace, ]
ends$y <- as.integer(!is.na(s[people$stop_day > grace]))
ends$other <- as.integer(!is.na(ends$other_day) & ends$other_day <= grace)
at_end <- glm(y ~ other + sex + risk + earlier, binomial, ends, control = tight)
told <- function(model, fit) data.frame(model = model, term = names(coef(fit)),
  coef = coef(fit), se = sqrt(diag(vcov(fit))), row.names = NULL)
write.csv(rbind(told("daily", daily), told("law", law), told("at_end", at_end)),
  "coefficients.csv", row.names = FALSE)

# Hazards of each person on each day of the grace time, whether still at risk or not.
grid <- expand.grid(day = 0:grace, i = seq_len(n))
cells <- cbind(people[grid$i, ], day = grid$day, interval = interval_of(grid$day))
cells$other <- as.integer(!is.na(cells$other_day) & cells$other_day <= cells$day)
h <- matrix(predict(daily, cells, type = "response"), n, grace + 1, byrow = TRUE)
l <- matrix(predict(law, cells, type = "response"), n, grace + 1, byrow = TRUE)
last_cells <- transform(people, other = as.integer(!is.na(other_day) & other_day <= grace))
end_chance <- predict(at_end, last_cells, type = "response")

# Weights on (t, t + 1], t = 0..grace (the last also later), by arm and law; 0: censored.
profile <- function(i, arm) {
  w <- numeric(grace + 1)
  for (t in 0:grace) {
    is_started <- !is.na(s[i]) & s[i] <= t
    before <- seq_len(t + 1)
    if (arm == "no_start") w[t + 1] <- if (is_started) 0 else 1 / prod(1 - h[i, before])
    if (arm == "censor_at_end")
      w[t + 1] <- if (t < grace) 1 else if (is_started) 1 / end_chance[i] else 0
    if (arm == "natural_law") {
      # the strategy's hazard: that of a start today given a start within the grace time
      q <- sapply(0:grace, function(k) l[i, k + 1] / (1 - prod(1 - l[i, (k + 1):(grace + 1)])))
      if (is_started) {
        k <- s[i] + 1
        w[t + 1] <- prod((1 - q[seq_len(k - 1)]) / (1 - h[i, seq_len(k - 1)])) * q[k] / h[i, k]
      } else w[t + 1] <- if (t == grace) 0 else prod((1 - q[before]) / (1 - h[i, before]))
    }
  }
  w
}
arms <- c("censor_at_end", "natural_law", "no_start")
all_weights <- do.call(rbind, lapply(arms, function(arm) {
  w <- t(sapply(seq_len(n), profile, arm = arm))
  colnames(w) <- paste0("day_", 0:grace)
  data.frame(arm = arm, entry = people$entry, w)
}))
write.csv(format(all_weights, digits = 15), "weights.csv", row.names = FALSE, quote = FALSE)

# Start-stop rows by day within the grace time, one row after it; Aalen-Johansen by survfit. Each row
# is an id of its own: with several states survfit (3.5-3) keeps an id's first weight at risk through
# all its rows (rows (0, 1] and (1, 3] of weights 1 and 3: n.risk is 1 on day 2), and the errors,
# which ids would serve, are not used here.
risks <- do.call(rbind, lapply(arms, function(arm) {
  w <- as.matrix(all_weights[all_weights$arm == arm, -(1:2)])
  pieces <- do.call(rbind, lapply(seq_len(n), function(i) {
    begin <- 0:grace
    end <- c(seq_len(grace), max(people$stop_day[i], grace + 1))
    is_in <- begin < people$stop_day[i] & w[i, ] > 0
    end <- pmin(end, people$stop_day[i])
    data.frame(entry = i, begin, end, weight = w[i, ],
      cause = ifelse(end == people$stop_day[i], people$cause[i], 0))[is_in, ]
  }))
  pieces$state <- factor(pieces$cause, 0:3)
  pieces$row <- seq_len(nrow(pieces))
  fit <- survfit(Surv(begin, end, state) ~ 1, pieces, weights = weight, id = row)
  shown <- summary(fit, times = days, extend = TRUE)
  # days lost: the curve summed over days 0..day-1
  daily_curve <- summary(fit, times = 0:max(days), extend = TRUE)$pstate[, 2]
  data.frame(arm = arm, time_days = days, outcome = shown$pstate[, 2], death = shown$pstate[, 3],
    emigration = shown$pstate[, 4],
    days_lost = sapply(days, function(day) sum(daily_curve[seq_len(day)])))
}))
write.csv(format(risks, digits = 15), "risks.csv", row.names = FALSE, quote = FALSE)
write.csv(data.frame(what = c("R", "survival", "call", "made_by"),
  value = c(R.version.string, as.character(packageVersion("survival")),
    "survfit(Surv(begin, end, state) ~ 1, weights = weight, id = row)", "make_golden.R")),
  "versions.csv", row.names = FALSE)
