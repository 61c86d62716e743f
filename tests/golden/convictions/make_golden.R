# Golden numbers of the ladder: shares of people in each state over time, errors by cluster.
#   cd tests/golden/convictions && Rscript make_golden.R
# Writes people.csv, changes.csv (the data), shares.csv, versions.csv. survfit ignores cluster=
# when there are several states (survival 3.5-3), so its influence is summed by cluster here.
library(survival)
set.seed(7)
n <- 240
states <- c("reported", "investigated", "discontinued", "prosecuted", "convicted", "acquitted")
# who goes where; a discontinued case may be taken up again
ways <- list(reported = c("investigated", "discontinued"), investigated = c("discontinued", "prosecuted"),
  discontinued = c("prosecuted"), prosecuted = c("convicted", "acquitted", "discontinued"),
  convicted = character(0), acquitted = character(0))
people <- data.frame(person = seq_len(n) - 1, victim = sample(0:169, n, TRUE),
  first = sample(states[1:2], n, TRUE, c(0.7, 0.3)), end_day = sample(5:60, n, TRUE))
rows <- do.call(rbind, lapply(seq_len(n), function(i) {
  state <- people$first[i]; day <- 0; out <- NULL
  repeat {
    to <- ways[[state]]
    stay <- if (state == "discontinued") 60 else sample(1:25, 1)
    if (length(to) == 0 || day + stay > people$end_day[i] || (state == "discontinued" && runif(1) < 0.7)) break
    day <- day + stay; nextstate <- sample(to, 1)
    out <- rbind(out, data.frame(person = i - 1, day = day, state = nextstate)); state <- nextstate
  }
  out
}))
write.csv(people, "people.csv", row.names = FALSE, quote = FALSE)
write.csv(rows, "changes.csv", row.names = FALSE, quote = FALSE)

pieces <- do.call(rbind, lapply(seq_len(n), function(i) {
  mine <- rows[rows$person == i - 1, ]
  at <- c(0, mine$day, if (!nrow(mine) || max(mine$day) < people$end_day[i]) people$end_day[i])
  k <- length(at) - 1
  to <- c(as.character(mine$state), rep("censored", k - nrow(mine)))
  from <- c(people$first[i], as.character(mine$state))[seq_len(k)]
  data.frame(person = i, victim = people$victim[i], start = at[1:k], stop = at[-1], from = from, to = to)
}))
pieces$event <- factor(pieces$to, c("censored", states))
pieces$from <- factor(pieces$from, states)
fit <- survfit(Surv(start, stop, event) ~ 1, data = pieces, id = person, istate = from, influence = TRUE)
found <- list()
for (day in c(4, 12, 25, 40, 60)) {
  k <- findInterval(day, fit$time)
  moved <- fit$influence.pstate[, k + 1, ]
  by_victim <- rowsum(moved, people$victim)
  for (s in states) {
    at <- match(s, fit$states)
    found[[length(found) + 1]] <- data.frame(day = day, state = s, share = sprintf("%.12f", fit$pstate[k, at]),
      se = sprintf("%.12f", sqrt(sum(moved[, at]^2))), se_cluster = sprintf("%.12f", sqrt(sum(by_victim[, at]^2))))
  }
  # the error of a sum of states: ever prosecuted, were none discontinued afterwards
  both <- match(c("prosecuted", "convicted", "acquitted"), fit$states)
  found[[length(found) + 1]] <- data.frame(day = day, state = "prosecuted+convicted+acquitted",
    share = sprintf("%.12f", sum(fit$pstate[k, both])), se = sprintf("%.12f", sqrt(sum(rowSums(moved[, both])^2))),
    se_cluster = sprintf("%.12f", sqrt(sum(rowSums(by_victim[, both])^2))))
}
write.csv(do.call(rbind, found), "shares.csv", row.names = FALSE, quote = FALSE)
stopifnot(dim(fit$influence.pstate)[2] == length(fit$time) + 1)
write.csv(data.frame(what = c("R", "survival"), version = c(as.character(getRversion()), as.character(packageVersion("survival")))),
  "versions.csv", row.names = FALSE, quote = FALSE)
