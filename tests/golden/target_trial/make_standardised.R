# Golden numbers of the g-formula and of the doubly robust estimator: base glm on person-days, the
# recursion day by day and the augmentation written out in loops over people and steps.
#   cd tests/golden/target_trial && Rscript make_standardised.R
# Reads people.csv (from make_golden.R); writes outcome_coefficients.csv, standardised.csv.
people <- read.csv("people.csv")
n <- nrow(people)
grace <- 5
days <- c(3, 5, 6, 20, 60)
last_day <- max(people$stop_day)
cuts <- c(1, 4, 11, 31)      # first days of the intervals of the outcome's hazard
effects <- c(1, 11)          # ... of the effects of having started
leaving_cuts <- c(1, 21)
spans <- function(what, cuts) paste0(what, " ", cuts, "-", c(cuts[-1] - 1, ""))
name_of <- function(what, cuts, day) factor(spans(what, cuts)[findInterval(day, cuts)],
  levels = spans(what, cuts))
tight <- glm.control(epsilon = 1e-14, maxit = 100)
s <- with(people, ifelse(!is.na(start_day) & start_day < stop_day & start_day <= grace, start_day, NA))

# --- starts, as in make_golden.R
interval_of <- function(day) cut(day, c(-1, 0, 2, 5), labels = c("day 0-0", "day 1-2", "day 3-5"))
rows <- do.call(rbind, lapply(seq_len(n), function(i) {
  day <- 0:min(people$stop_day[i] - 1, grace, if (is.na(s[i])) Inf else s[i])
  data.frame(people[rep(i, length(day)), ], day = day, y = as.integer(!is.na(s[i]) & day == s[i]))
}))
rows$interval <- interval_of(rows$day)
rows$other <- as.integer(!is.na(rows$other_day) & rows$other_day <= rows$day)
daily <- glm(y ~ 0 + interval + other + sex + risk + earlier, binomial, rows, control = tight)
law <- glm(y ~ 0 + interval + sex + risk + earlier, binomial, rows, control = tight)
grid <- expand.grid(day = 0:grace, i = seq_len(n))
cells <- cbind(people[grid$i, ], day = grid$day, interval = interval_of(grid$day))
cells$other <- as.integer(!is.na(cells$other_day) & cells$other_day <= cells$day)
h <- matrix(predict(daily, cells, type = "response"), n, grace + 1, byrow = TRUE)
l <- matrix(predict(law, cells, type = "response"), n, grace + 1, byrow = TRUE)
q <- t(sapply(seq_len(n), function(i) sapply(0:grace, function(k)
  l[i, k + 1] / (1 - prod(1 - l[i, (k + 1):(grace + 1)])))))

# --- outcomes and exits: a row per day lived; a start on day s acts from s + 1 on
lived <- do.call(rbind, lapply(seq_len(n), function(i) {
  day <- seq_len(people$stop_day[i])
  data.frame(people[rep(i, length(day)), ], day = day,
    started = as.integer(!is.na(s[i]) & s[i] < day), is_last = day == people$stop_day[i])
}))
described <- function(rows) {
  rows$interval <- name_of("day", cuts, rows$day)
  rows$leaving_interval <- name_of("day", leaving_cuts, rows$day)
  effect <- name_of("started", effects, rows$day)
  for (k in seq_along(effects))
    rows[[paste0("effect", k)]] <- rows$started * (effect == spans("started", effects)[k])
  rows
}
lived <- described(lived)
lived$y <- as.integer(lived$is_last & lived$cause == 1)
outcome <- glm(y ~ 0 + interval + effect1 + effect2 + sex + risk + earlier, binomial, lived,
  control = tight)
without <- lived[lived$y == 0, ]
without$left <- as.integer(without$is_last & without$cause > 1)
leaving <- glm(left ~ 0 + leaving_interval + started + sex + risk + earlier, binomial, without,
  control = tight)
told <- function(model, fit) data.frame(model = model, term = names(coef(fit)),
  coef = coef(fit), se = sqrt(diag(vcov(fit))), row.names = NULL)
write.csv(rbind(told("outcome", outcome), told("leaving", leaving)), "outcome_coefficients.csv",
  row.names = FALSE)

# Hazards of each person on each day in each state: n x last_day.
table_of <- function(fit, started) {
  grid <- expand.grid(day = seq_len(last_day), i = seq_len(n))
  rows <- described(cbind(people[grid$i, ], day = grid$day, started = started))
  matrix(predict(fit, rows, type = "response"), n, last_day, byrow = TRUE)
}
a <- list(table_of(outcome, 0), table_of(outcome, 1))
b <- list(table_of(leaving, 0), table_of(leaving, 1))

# --- values: [person, day + 1] what is still to come at the beginning of (day, day + 1]
reward <- function(kind, t, day) if (kind == "risk") as.numeric(day <= t) else pmax(t - day, 0)
values <- function(kind, t) {
  empty <- matrix(0, n, last_day + 1)
  started <- never <- before <- waiting <- empty
  for (day in (last_day - 1):0) {
    r <- reward(kind, t, day + 1)
    step <- function(z, after) a[[z]][, day + 1] * r +
      (1 - a[[z]][, day + 1]) * (1 - b[[z]][, day + 1]) * after
    started[, day + 1] <- step(2, started[, day + 2])
    never[, day + 1] <- step(1, never[, day + 2])
    if (day <= grace) {
      waiting[, day + 1] <- step(1, before[, day + 2])
      before[, day + 1] <- q[, day + 1] * started[, day + 1] +
        (1 - q[, day + 1]) * waiting[, day + 1]
    }
  }
  list(started = started, never = never, before = before, waiting = waiting)
}

# --- weights on (t, t + 1], t = 0..grace, as in make_golden.R
weight <- function(i, t, arm) {
  t <- min(t, grace)
  is_started <- !is.na(s[i]) & s[i] <= t
  before <- seq_len(t + 1)
  if (arm == "no_start") return(if (is_started) 0 else 1 / prod(1 - h[i, before]))
  if (!is_started) return(if (t == grace) 0 else prod((1 - q[i, before]) / (1 - h[i, before])))
  k <- s[i] + 1
  prod((1 - q[i, seq_len(k - 1)]) / (1 - h[i, seq_len(k - 1)])) * q[i, k] / h[i, k]
}

# --- P(followed administratively to the day), events of a day before its ends: day 0..last_day
followed <- rep(1, last_day + 1)
for (day in seq_len(last_day - 1)) {
  ends <- sum(people$stop_day == day & people$cause == 0)
  at_risk <- sum(people$stop_day > day) + ends
  followed[day + 2] <- followed[day + 1] * (1 - ends / at_risk)
}

# --- the augmentation, step by step: a step counts if seen to its end or to an event
bounds <- sort(unique(c(0:grace, cuts - 1, leaving_cuts - 1, days, last_day)))
answer <- function(kind, t, arm) {
  v <- values(kind, t)
  open <- if (arm == "start") v$before else v$never
  decided <- if (arm == "start") v$waiting else v$never
  total <- open[, 1]
  for (i in seq_len(n)) for (m in seq_len(length(bounds) - 1)) {
    begin <- bounds[m]; end <- bounds[m + 1]; stop <- people$stop_day[i]
    if (stop <= begin || begin >= t) next
    is_free <- stop > end || (stop == end && people$cause[i] == 0)
    w <- weight(i, begin, arm)
    if (w == 0 || (!is_free && people$cause[i] == 0)) next
    is_started <- !is.na(s[i]) && s[i] <= begin
    due <- if (is_started) v$started[i, begin + 1] else decided[i, begin + 1]
    came <- if (is_free) { if (is_started) v$started[i, end + 1] else open[i, end + 1] }
      else if (people$cause[i] == 1) reward(kind, t, stop) else 0
    total[i] <- total[i] + w / followed[(if (is_free) end else stop) + 1] * (came - due)
  }
  c(mean(open[, 1]), mean(total))
}
asked <- expand.grid(number = c("risk", "days_lost"), time_days = days, arm = c("start", "no_start"),
  stringsAsFactors = FALSE)
found <- t(mapply(answer, asked$number, asked$time_days, asked$arm))
asked$g_formula <- format(found[, 1], digits = 15)
asked$doubly_robust <- format(found[, 2], digits = 15)
write.csv(asked, "standardised.csv", row.names = FALSE, quote = FALSE)
