# Event-free days by arm without adjustment: starts on day 0 against no start by then.
#   cd tests/golden/target_trial && Rscript make_rmst.R
# Writes rmst.csv (a row per arm and day: event-free days, error) from people.csv; R 4.2.2, survival 3.5-3.
# Days lost to the event are the restricted mean time in its state; who dies or leaves is free to the end.
# R gives that mean no error with several states: it is put together here from the influence of each
# person on the state's curve, summed over the days.
library(survival)
people <- read.csv("people.csv")
people$state <- factor(people$cause, 0:3, c("none", "event", "death", "left"))
people$is_started <- !is.na(people$start_day) & people$start_day == 0
number <- function(x) formatC(x, digits = 15, format = "g")
rows <- do.call(rbind, lapply(c(20, 45, 60), function(tau) do.call(rbind, lapply(c(TRUE, FALSE), function(arm) {
  fit <- survfit(Surv(stop_day, state) ~ 1, data = people[people$is_started == arm, ], id = entry, influence = TRUE)
  width <- pmax(pmin(c(fit$time[-1], Inf), tau) - pmin(fit$time, tau), 0)
  moved <- fit$influence.pstate[, , 2]
  moved <- moved[, ncol(moved) - length(fit$time) + seq_along(fit$time)] %*% width
  data.frame(arm = ifelse(arm, "start", "no_start"), time_days = tau,
             days = number(tau - sum(width * fit$pstate[, 2])), se = number(sqrt(sum(moved^2))))
}))))
write.csv(rows, "rmst.csv", row.names = FALSE)
