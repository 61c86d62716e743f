# Golden numbers of the weighted mean counts by clones (Ghosh-Lin), recurrent outcomes: base glm on
# person-days, weights written out, the curves by loops over people and days. Nothing of ours.
#   cd tests/golden/target_trial && Rscript make_golden_counts.R
# Writes count_people.csv, count_outcomes.csv (the data) and counts.csv.
set.seed(11)
n <- 300
grace <- 6
last <- 40
days <- c(3, 6, 7, 20, 40)
people <- data.frame(entry = seq_len(n) - 1, sex = sample(c("female", "male"), n, TRUE),
  earlier = rpois(n, 0.8), start_day = NA, stop_day = last, end_cause = 0)
outcomes <- data.frame(entry = integer(0), day = integer(0))
# A day: outcome, then death or emigration, then a start; an outcome may lead to a start on its day.
for (i in seq_len(n)) {
  so_far <- 0
  for (day in 0:last) {
    if (day > 0) {
      if (runif(1) < 0.02 * exp(0.5 * (people$sex[i] == "male") + 0.4 * min(so_far, 3))) {
        outcomes <- rbind(outcomes, data.frame(entry = i - 1, day = day))
        so_far <- so_far + 1
      }
      if (runif(1) < 0.006) {
        people$stop_day[i] <- day
        people$end_cause[i] <- sample(2:3, 1)
        break
      }
    }
    p <- plogis(-3 + 0.9 * (day == 0) + 0.6 * (people$sex[i] == "male") + 1.3 * (so_far > 0))
    if (is.na(people$start_day[i]) && runif(1) < p) people$start_day[i] <- day
  }
}
write.csv(people, "count_people.csv", row.names = FALSE, na = "")
write.csv(outcomes, "count_outcomes.csv", row.names = FALSE)

s <- with(people, ifelse(!is.na(start_day) & start_day < stop_day & start_day <= grace, start_day, NA))
interval_of <- function(day) cut(day, c(-1, 0, 2, 6), labels = c("day 0-0", "day 1-2", "day 3-6"))
# Outcomes up to and including the day (two at most count), and one within three days, the day's too.
own <- function(i) outcomes$day[outcomes$entry == i - 1]
count_by <- function(i, day) min(sum(own(i) <= day), 2)
lately <- function(i, day) as.integer(any(own(i) <= day & own(i) > day - 3))
cell <- function(i, day) data.frame(people[i, ], day = day, n = count_by(i, day),
  has = as.integer(count_by(i, day) > 0), recent = lately(i, day), interval = interval_of(day))
rows <- do.call(rbind, lapply(seq_len(n), function(i) {
  upto <- min(people$stop_day[i] - 1, grace, if (is.na(s[i])) Inf else s[i])
  one <- do.call(rbind, lapply(0:upto, function(day) cell(i, day)))
  one$y <- as.integer(!is.na(s[i]) & one$day == s[i])
  one
}))
tight <- glm.control(epsilon = 1e-14, maxit = 100)
daily <- glm(y ~ 0 + interval + has + n + recent + sex + earlier, binomial, rows, control = tight)
law <- glm(y ~ 0 + interval + sex + earlier, binomial, rows, control = tight)
grid <- do.call(rbind, lapply(seq_len(n), function(i)
  do.call(rbind, lapply(0:grace, function(day) cell(i, day)))))
h <- matrix(predict(daily, grid, type = "response"), n, grace + 1, byrow = TRUE)
l <- matrix(predict(law, grid, type = "response"), n, grace + 1, byrow = TRUE)

# The weight of a clone on day d (that of the piece (d - 1, d]).
weight_on <- function(i, d, arm) {
  t <- min(d - 1, grace)
  started <- !is.na(s[i]) && s[i] <= t
  before <- seq_len(t + 1)
  if (arm == "no_start") return(if (started) 0 else 1 / prod(1 - h[i, before]))
  q <- sapply(0:grace, function(k) l[i, k + 1] / (1 - prod(1 - l[i, (k + 1):(grace + 1)])))
  if (!started) return(if (t == grace) 0 else prod((1 - q[before]) / (1 - h[i, before])))
  k <- s[i] + 1
  prod((1 - q[seq_len(k - 1)]) / (1 - h[i, seq_len(k - 1)])) * q[k] / h[i, k]
}
counts <- do.call(rbind, lapply(c("natural_law", "no_start"), function(arm) {
  there <- 1
  mean_count <- 0
  found <- numeric(last)
  for (d in 1:last) {
    at_risk <- happened <- ended <- 0
    for (i in seq_len(n)) {
      if (people$stop_day[i] < d) next
      w <- weight_on(i, d, arm)
      at_risk <- at_risk + w
      happened <- happened + w * sum(own(i) == d)
      if (people$stop_day[i] == d && people$end_cause[i] > 0) ended <- ended + w
    }
    mean_count <- mean_count + there * happened / at_risk
    there <- there * (1 - ended / at_risk)
    found[d] <- mean_count
  }
  data.frame(arm = arm, time_days = days, count = found[days])
}))
write.csv(format(counts, digits = 15), "counts.csv", row.names = FALSE, quote = FALSE)
versions <- data.frame(what = c("R", "call", "made_by"), value = c(R.version.string,
  "glm(y ~ 0 + interval + has + n + recent + sex + earlier, binomial); loops over people and days",
  "make_golden_counts.R"))
write.csv(versions, "count_versions.csv", row.names = FALSE)
