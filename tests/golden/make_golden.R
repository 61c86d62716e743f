# Golden numbers of R's `survival` and `cmprsk`, with the data they were computed from.
# Run in this folder:  Rscript make_golden.R
# Writes data/*.csv (R's own data sets, or random ones made here) and
#   cox.csv      a row per coefficient     cox_calls.csv      a row per model: the call and versions
#   cox_baseline.csv, cox_concordance.csv, cox_paths.csv  what follows from some of these models
#   cox_zph.csv  a row per coefficient and model of cox.zph(<the same call>, terms = FALSE)
#   curves.csv   a row per cause and time  curves_calls.csv   a row per curve
#   differences.csv  a row per time: risk difference between the sexes, error by cluster
suppressPackageStartupMessages({library(survival); library(cmprsk)})
options(digits = 15)
dir.create("data", showWarnings = FALSE)
save_data <- function(name, data) write.csv(data, file.path("data", paste0(name, ".csv")), row.names = FALSE, na = "")
versions <- paste0("R ", getRversion(), ", survival ", packageVersion("survival"))
number <- function(x) ifelse(is.na(x), "", formatC(x, digits = 17, format = "g"))

# ---- data --------------------------------------------------------------------------------------
bladder <- bladder2
bladder$twice <- 2 * bladder$number
save_data("bladder2", bladder)

# half days in the Stanford data: doubled, which changes no Cox estimate
stanford <- data.frame(id = heart$id, start = 2 * heart$start, stop = 2 * heart$stop, event = heart$event,
                       age = heart$age, year = heart$year, surgery = heart$surgery,
                       transplant = as.numeric(heart$transplant == "1"))
save_data("heart", stanford)

ovary <- ovarian
save_data("ovarian", ovary)

lungs <- na.omit(lung[, c("inst", "time", "status", "age", "sex", "ph.ecog", "wt.loss")])
lungs$event <- as.numeric(lungs$status == 2)
lungs$weight <- 0.5 + (seq_len(nrow(lungs)) %% 4) / 3
names(lungs) <- gsub("[.]", "_", names(lungs))
save_data("lung", lungs)

# random episodes: 150 people, up to 4 episodes, few days (heavy ties), late entry, gaps, recurrent events
set.seed(20)
people <- data.frame(person = 1:150, entry = sample(c(0, 0, 0, 2, 5), 150, TRUE),
                     colour = sample(c("red", "green", "blue", NA), 150, TRUE, c(4, 3, 2, 1)),
                     size = round(rnorm(150, 1980, 15)), site = sample(1:4, 150, TRUE))
random <- do.call(rbind, lapply(people$person, function(i) {
  cuts <- people$entry[i] + cumsum(c(0, sample(1:6, sample(1:4, 1), TRUE)))
  k <- length(cuts) - 1
  data.frame(person = i, start = cuts[1:k], stop = cuts[-1], event = rbinom(k, 1, 0.35),
             treated = rbinom(k, 1, 0.4), weight = round(runif(k, 0.2, 3), 3))
}))
random <- random[!(seq_len(nrow(random)) %% 11 == 0), ]
random <- merge(random, people[, c("person", "colour", "size", "site")])
random$family <- random$person %% 40
random <- random[sample(nrow(random)), ]
save_data("random", random)
random$colour <- factor(ifelse(is.na(random$colour), "missing", random$colour),
                        levels = c("blue", "green", "red", "missing"))

mgus <- mgus2
mgus$time <- with(mgus, ifelse(pstat == 0, futime, ptime))
mgus$cause <- with(mgus, ifelse(pstat == 0, 2 * death, 1))
mgus$state <- factor(mgus$cause, 0:2, c("censored", "pcm", "death"))
mgus$family <- mgus$id %% 400
mgus$weight <- 1 + (mgus$id %% 3) / 2
mgus$entry <- ifelse(mgus$id %% 4 == 0, floor(mgus$time / 3), 0)
mgus <- mgus[mgus$time > mgus$entry, c("id", "sex", "time", "cause", "death", "futime", "family", "weight", "entry", "state")]
save_data("mgus2", mgus[, names(mgus) != "state"])

# the same people in two pieces each, cut at 30 months, the second piece with another weight
mgus$any <- as.numeric(mgus$cause > 0)
pieces <- survSplit(Surv(time, any) ~ ., data = mgus, cut = 30, episode = "piece", start = "begin", end = "stop", event = "any")
pieces$piece_cause <- ifelse(pieces$any == 1, pieces$cause, 0)
pieces$piece_state <- factor(pieces$piece_cause, 0:2, c("censored", "pcm", "death"))
pieces$piece_weight <- ifelse(pieces$piece == 1, pieces$weight, pieces$weight * (1 + (pieces$id %% 5) / 10))
save_data("mgus2_pieces", pieces[, c("id", "begin", "stop", "piece_cause", "piece_weight")])

# ---- Cox ---------------------------------------------------------------------------------------
# R's defaults stop early; these numbers are those of a run to the end
to_the_end <- coxph.control(eps = 1e-11, iter.max = 60)
cox <- list(
  bladder2_andersen_gill = quote(coxph(Surv(start, stop, event) ~ rx + number + size, data = bladder, cluster = id, control = to_the_end)),
  bladder2_pwp = quote(coxph(Surv(start, stop, event) ~ rx + number + size + strata(enum), data = bladder, cluster = id, control = to_the_end)),
  bladder2_aliased = quote(coxph(Surv(start, stop, event) ~ rx + number + twice + size, data = bladder, cluster = id, control = to_the_end)),
  heart = quote(coxph(Surv(start, stop, event) ~ age + year + surgery + transplant, data = stanford, cluster = id, control = to_the_end)),
  heart_transplant = quote(coxph(Surv(start, stop, event) ~ transplant, data = stanford, cluster = id, control = to_the_end)),
  ovarian_strata = quote(coxph(Surv(futime, fustat) ~ age + ecog.ps + strata(rx), data = ovary, control = to_the_end)),
  lung_weights_strata = quote(coxph(Surv(time, event) ~ age + ph_ecog + wt_loss + strata(sex), data = lungs, weights = weight, cluster = inst, control = to_the_end)),
  random_plain = quote(coxph(Surv(start, stop, event) ~ colour + size + treated, data = random, cluster = person, control = to_the_end)),
  random_weights = quote(coxph(Surv(start, stop, event) ~ colour + size + treated, data = random, weights = weight, cluster = person, control = to_the_end)),
  random_strata = quote(coxph(Surv(start, stop, event) ~ colour + size + treated + strata(site), data = random, cluster = person, control = to_the_end)),
  random_all = quote(coxph(Surv(start, stop, event) ~ colour + size + treated + strata(site), data = random, weights = weight, cluster = family, control = to_the_end))
)
cox_rows <- do.call(rbind, lapply(names(cox), function(case) {
  fit <- eval(cox[[case]])
  has_robust <- !is.null(fit$naive.var)
  model <- if (has_robust) fit$naive.var else fit$var
  lost <- is.na(coef(fit))
  error <- function(v) ifelse(lost, NA, sqrt(diag(v)))
  data.frame(case = case, name = names(coef(fit)), coef = number(coef(fit)), se_model = number(error(model)),
             se_robust = if (has_robust) number(error(fit$var)) else "",
             loglik_null = number(fit$loglik[1]), loglik = number(fit$loglik[2]))
}))
write.csv(cox_rows, "cox.csv", row.names = FALSE)
zph <- setdiff(names(cox), c("bladder2_aliased", "lung_weights_strata", "random_weights", "random_all"))
zph_rows <- do.call(rbind, lapply(zph, function(case) {
  table <- cox.zph(eval(cox[[case]]), terms = FALSE)$table
  data.frame(case = case, name = rownames(table), chisq = number(table[, 1]), df = table[, 2], p = number(table[, 3]))
}))
write.csv(zph_rows, "cox_zph.csv", row.names = FALSE)
told <- function(calls, versions) data.frame(case = names(calls), versions = versions,
  call = vapply(calls, function(x) gsub(" +", " ", paste(deparse(x, 500), collapse = " ")), ""))
write.csv(told(cox, versions), "cox_calls.csv", row.names = FALSE)

# baseline hazards at columns of 0, concordance, and survival along paths of changing covariates
baseline <- c("heart", "ovarian_strata", "lung_weights_strata", "random_strata", "random_all")
baseline_rows <- do.call(rbind, lapply(baseline, function(case) {
  found <- basehaz(eval(cox[[case]]), centered = FALSE)
  found <- found[!duplicated(found[, names(found) != "time"]), ]
  stratum <- if (is.null(found$strata)) "" else sub(".*=", "", found$strata)
  data.frame(case = case, stratum = stratum, time = found$time, cumulative_hazard = number(found$hazard))
}))
write.csv(baseline_rows[as.numeric(baseline_rows$cumulative_hazard) > 1e-12, ], "cox_baseline.csv", row.names = FALSE)
ordered <- setdiff(names(cox), "bladder2_aliased")
write.csv(data.frame(case = ordered, concordance = number(vapply(ordered, function(case) concordance(eval(cox[[case]]))$concordance, 0))),
          "cox_concordance.csv", row.names = FALSE)
paths <- survfit(eval(cox$heart), newdata = stanford[stanford$id %in% c(3, 4, 10), ], id = id)
path_rows <- do.call(rbind, lapply(names(paths$strata), function(id) { s <- paths[id]; data.frame(id = id, time = s$time, survival = number(s$surv)) }))
write.csv(path_rows, "cox_paths.csv", row.names = FALSE)

# ---- curves ------------------------------------------------------------------------------------
times <- c(12, 60, 120, 240)
women <- mgus[mgus$sex == "F", ]
# With several states R 4.2.2 survfit (survival 3.5-3) silently ignores `cluster =`; so its influence by
# person, times its weight, is summed by cluster here: the definition of the infinitesimal jackknife.
summed <- function(fit, cluster, weight) {
  influence <- fit$influence.pstate * weight
  at <- findInterval(times, fit$time) + dim(influence)[2] - length(fit$time)
  sums <- vapply(at, function(j) sqrt(colSums(rowsum(influence[, j, ], cluster)^2)), numeric(3))
  list(pstate = summary(fit, times = times)$pstate, std.err = t(sums))
}
states <- function(s) data.frame(cause = rep(1:2, each = length(times)), time = rep(times, 2), estimate = number(c(s$pstate[, 2:3])),
                                 se = number(c(s$std.err[, 2:3])), ci_low = "", ci_high = "")
survival <- function(s) data.frame(cause = 1, time = s$time, estimate = number(1 - s$surv), se = number(s$std.err),
                                   ci_low = number(1 - s$upper), ci_high = number(1 - s$lower))
incidence <- function(fit) { e <- timepoints(fit, times)$est; data.frame(cause = rep(1:2, each = length(times)), time = rep(times, 2),
                             estimate = number(c(t(e))), se = "", ci_low = "", ci_high = "") }
# Where a person's weight changes R's error is not the derivative in the weights (tests/estimators shows
# that ours is): only the estimate is taken.
without_error <- function(table) { table$se <- ""; table }
curves <- list(
  mgus2_women = quote(states(summary(survfit(Surv(time, state) ~ 1, data = women, id = id), times = times))),
  mgus2_women_cuminc = quote(incidence(cuminc(women$time, women$cause, cencode = 0))),
  mgus2_women_km = quote(survival(summary(survfit(Surv(time, cause == 1) ~ 1, data = women, robust = TRUE, conf.type = "log-log"), times = times))),
  mgus2_weights = quote(states(summary(survfit(Surv(time, state) ~ 1, data = mgus, id = id, weights = weight, robust = TRUE), times = times))),
  mgus2_cluster = quote(states(summed(survfit(Surv(time, state) ~ 1, data = mgus, id = id, weights = weight, influence = TRUE), mgus$family, mgus$weight))),
  mgus2_entry = quote(states(summary(survfit(Surv(entry, time, state) ~ 1, data = mgus, id = id, robust = TRUE), times = times))),
  mgus2_entry_cluster = quote(states(summed(survfit(Surv(entry, time, state) ~ 1, data = mgus, id = id, weights = weight, influence = TRUE), mgus$family, mgus$weight))),
  mgus2_pieces = quote(without_error(states(summary(survfit(Surv(begin, stop, piece_state) ~ 1, data = pieces, id = id, weights = piece_weight), times = times)))),
  mgus2_km_cluster = quote(survival(summary(survfit(Surv(futime, death) ~ 1, data = mgus, cluster = family, weights = weight, robust = TRUE, conf.type = "log-log"), times = times))),
  lung_km = quote(survival(summary(survfit(Surv(time, event) ~ 1, data = lungs, robust = TRUE, conf.type = "log-log"), times = c(5, 166, 310, 883))))
)
curve_rows <- do.call(rbind, lapply(names(curves), function(case) data.frame(case = case, eval(curves[[case]]))))
write.csv(curve_rows, "curves.csv", row.names = FALSE)
write.csv(told(curves, paste0(versions, ", cmprsk ", packageVersion("cmprsk"))), "curves_calls.csv", row.names = FALSE)

# ---- two groups with shared clusters ---------------------------------------------------------------
group <- function(sex) {
  mine <- mgus[mgus$sex == sex, ]
  fit <- survfit(Surv(time, state) ~ 1, data = mine, id = id, influence = TRUE)
  at <- findInterval(times, fit$time)
  shift <- dim(fit$influence.pstate)[2] - length(fit$time)
  moved <- rowsum(fit$influence.pstate[, at + shift, 2], mine$family)
  all <- matrix(0, 400, length(times)); all[as.integer(rownames(moved)) + 1, ] <- moved
  list(risk = summary(fit, times = times)$pstate[, 2], moved = all)
}
f <- group("F"); m <- group("M")
write.csv(data.frame(time = times, difference = number(f$risk - m$risk), se = number(sqrt(colSums((f$moved - m$moved)^2))),
                     log_ratio = number(log(f$risk / m$risk)),
                     se_log = number(sqrt(rowSums((t(f$moved) / f$risk - t(m$moved) / m$risk)^2)))),
          "differences.csv", row.names = FALSE)
