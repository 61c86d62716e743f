# Golden numbers of the variants of the time-varying Cox model: survival::tmerge and coxph.
#   cd tests/golden/exposures && Rscript make_golden.R
# Writes people.csv, spells.csv (the data), coefficients.csv, versions.csv.
library(survival)
set.seed(11)
n <- 300
people <- data.frame(entry_id = seq_len(n) - 1, victim = sample(0:249, n, TRUE),
  sex = sample(c("female", "male"), n, TRUE))
people$stop_day <- pmin(700, ceiling(rexp(n, 0.003)))
people$is_event <- as.integer(people$stop_day < 700 & runif(n) < 0.85)
# One or two spells an entry, apart from each other; some begin before day 0.
first <- data.frame(entry_id = people$entry_id, start_day = sample(-60:250, n, TRUE))
first$stop_day <- first$start_day + sample(5:160, n, TRUE)
first <- first[runif(n) < 0.7, ]
second <- data.frame(entry_id = first$entry_id, start_day = first$stop_day + sample(5:260, nrow(first), TRUE))
second$stop_day <- second$start_day + sample(5:160, nrow(second), TRUE)
second <- second[runif(nrow(second)) < 0.5, ]
spells <- rbind(first, second)
spells <- spells[order(spells$entry_id, spells$start_day), ]
write.csv(people, "people.csv", row.names = FALSE)
write.csv(spells, "spells.csv", row.names = FALSE)

# A row per entry and change, by hand; tmerge carries the last one forward. What happened before
# day 0 is moved to day 0 in its order: the last one counts.
changes <- function(day, state) data.frame(entry_id = spells$entry_id, day = day, state = state)
cut_by <- function(points, follow = people) {
  points <- points[order(points$entry_id, points$day), ]
  points$day <- pmax(points$day, 0)
  points <- points[!duplicated(points[, c("entry_id", "day")], fromLast = TRUE), ]
  # tmerge takes changes after the entry's beginning only: shift time by one day
  base <- tmerge(follow, follow, id = entry_id, out = event(stop_day + 1, is_event), tstart = 0, tstop = stop_day + 1)
  merged <- tmerge(base, points, id = entry_id, state = tdc(day + 1, state, "none"))
  merged$tstart <- pmax(merged$tstart, 1)
  merged <- merged[merged$tstop > merged$tstart, ]
  merged
}
following <- with(spells, ave(start_day, entry_id, FUN = function(x) c(x[-1], Inf)))
keep <- function(points, until) points[points$day < until, ]
since <- rbind(changes(spells$start_day, "0_30"),
  keep(changes(spells$start_day + 30, "31_90"), spells$stop_day),
  keep(changes(spells$start_day + 90, "91_plus"), spells$stop_day),
  changes(spells$stop_day, "none"))
after <- rbind(changes(spells$start_day, "in_force"),
  changes(spells$stop_day, "1_90"),
  keep(changes(spells$stop_day + 90, "91_180"), following),
  keep(changes(spells$stop_day + 180, "181_plus"), following))
total <- with(spells, ave(stop_day - start_day, entry_id, FUN = cumsum))
lasted <- rbind(changes(spells$start_day, "in_force"),
  changes(spells$stop_day, c("0_29", "30_89", "90_plus")[findInterval(total, c(30, 90)) + 1]))

golden <- list()
tell <- function(subgroup, fit, prefix) {
  robust <- sqrt(diag(vcov(fit)))
  mine <- startsWith(names(coef(fit)), prefix)
  golden[[length(golden) + 1]] <<- data.frame(subgroup = subgroup,
    level = substring(names(coef(fit))[mine], nchar(prefix) + 1),
    coef = sprintf("%.10f", coef(fit)[mine]), se = sprintf("%.10f", robust[mine]))
}
tight <- coxph.control(eps = 1e-11, toler.chol = 1e-12, iter.max = 50)
for (one in list(list("time_since_start", since), list("after_end", after), list("days_lasted", lasted))) {
  rows <- cut_by(one[[2]])
  rows$state <- relevel(factor(rows$state), "none")
  tell(one[[1]], coxph(Surv(tstart, tstop, out) ~ state + sex, rows, cluster = victim, control = tight), "state")
}
# The dose: survSplit on every day; days in force so far counted day by day.
daily <- survSplit(Surv(stop_day, is_event) ~ ., people, cut = 1:699, start = "tstart", end = "tstop")
names(daily)[names(daily) == "is_event"] <- "out"
on <- function(id, day) any(spells$entry_id == id & spells$start_day < day & day <= spells$stop_day)
so_far <- function(id, day) with(spells[spells$entry_id == id, ],
  sum(pmax(pmin(stop_day, day) - start_day, 0)))
daily$in_force <- as.integer(mapply(on, daily$entry_id, daily$tstop))
before <- mapply(so_far, daily$entry_id, daily$tstart)
daily$ended <- as.integer(before > 0 & !daily$in_force)
daily$in_force_days <- daily$in_force * floor(before / 30)
daily$ended_days <- daily$ended * before / 30
dose <- coxph(Surv(tstart, tstop, out) ~ in_force + ended + in_force_days + ended_days + sex, daily,
  cluster = victim, control = tight)
golden[[length(golden) + 1]] <- data.frame(subgroup = "days_so_far", level = c("in_force", "ended"),
  coef = sprintf("%.10f", coef(dose)[3:4]), se = sprintf("%.10f", sqrt(diag(vcov(dose)))[3:4]))
write.csv(do.call(rbind, golden), "coefficients.csv", row.names = FALSE)
write.csv(data.frame(what = c("R", "survival"),
  version = c(paste(R.version$major, R.version$minor, sep = "."), as.character(packageVersion("survival")))),
  "versions.csv", row.names = FALSE)
