# Golden numbers for recurrent outcomes and for competing hazards, from R's `survival` and `cmprsk`.
# Run in this folder:  Rscript make_golden_recurrent.R     (after ../make_golden.R: it reads ../data)
# Writes data/*.csv and
#   hazards.csv      a row per coefficient   hazards_calls.csv   a row per model: the call and versions
#   counts.csv       a row per day           counts_calls.csv    a row per curve
#   differences.csv  a row per day: difference of two groups' mean counts, error by shared cluster
suppressPackageStartupMessages({library(survival); library(cmprsk)})
options(digits = 15)
dir.create("data", showWarnings = FALSE)
save_data <- function(name, data) write.csv(data, file.path("data", paste0(name, ".csv")), row.names = FALSE, na = "")
versions <- paste0("R ", getRversion(), ", survival ", packageVersion("survival"), ", cmprsk ", packageVersion("cmprsk"))
number <- function(x) ifelse(is.na(x), "", trimws(formatC(x, digits = 17, format = "g")))
told <- function(calls) data.frame(case = names(calls), versions = versions,
  call = vapply(calls, function(x) gsub(" +", " ", paste(deparse(x, 500), collapse = " ")), ""))
to_the_end <- coxph.control(eps = 1e-11, iter.max = 60)

# ---- data --------------------------------------------------------------------------------------
# all recurrences, and deaths (status 2 and 3); two people without follow-up are left out
bladder <- bladder1[bladder1$start < bladder1$stop, c("id", "treatment", "number", "size", "start", "stop", "status", "enum")]
bladder$event <- as.numeric(bladder$status == 1)
bladder$terminal <- as.numeric(bladder$status >= 2)
bladder$family <- bladder$id %% 40
bladder$weight <- 1 + (bladder$id %% 3) / 2
save_data("bladder1", bladder)

# the random episodes of ../make_golden.R, sorted: gaps, late entry, measures that change between outcomes
random <- read.csv("../data/random.csv", na.strings = "")
random <- random[order(random$person, random$start), ]
random$colour <- factor(ifelse(is.na(random$colour), "missing", random$colour), levels = c("blue", "green", "red", "missing"))
random$enum <- ave(random$event, random$person, FUN = function(x) 1 + cumsum(x) - x)
random$clock <- unlist(lapply(split(random, random$person), function(p) {
  clock <- 0; from <- numeric(nrow(p))
  for (i in seq_len(nrow(p))) { from[i] <- clock; if (p$event[i] == 1) clock <- p$stop[i] }
  from
}))

# few days, so heavy ties; late entry; outcomes and terminal events on the same day; people in both groups' families
set.seed(31)
counted <- do.call(rbind, lapply(1:160, function(i) {
  entry <- sample(c(0, 0, 0, 1, 3), 1)
  days <- sort(sample((entry + 1):16, sample(1:5, 1)))
  k <- length(days)
  data.frame(person = i, start = c(entry, days[-k]), stop = days, event = rbinom(k, 1, 0.55),
             terminal = c(rep(0, k - 1), rbinom(1, 1, 0.4)), weight = round(runif(1, 0.3, 2.5), 3),
             family = i %% 50, is_started = rbinom(1, 1, 0.5))
}))
save_data("counted", counted)

mgus <- mgus2
mgus$time <- with(mgus, ifelse(pstat == 0, futime, ptime))
mgus$cause <- with(mgus, ifelse(pstat == 0, 2 * death, 1))
mgus <- na.omit(mgus[, c("id", "age", "sex", "hgb", "time", "cause")])
mgus$family <- mgus$id %% 400
mgus$copies <- 1 + mgus$id %% 3
save_data("mgus2", mgus)
mgus$state <- factor(mgus$cause, 0:2, c("censored", "pcm", "death"))

# few days, and people censored on the days of events
set.seed(32)
tied <- data.frame(person = 1:300, x = rbinom(300, 1, 0.4), size = round(rnorm(300), 2), time = sample(1:9, 300, TRUE),
                   cause = sample(0:3, 300, TRUE, c(4, 3, 2, 1)), family = 1:300 %% 120)
save_data("tied", tied)
tied$state <- factor(tied$cause, 0:3, c("censored", "one", "two", "three"))

# ---- hazards -----------------------------------------------------------------------------------
grey <- finegray(Surv(time, state) ~ ., data = mgus, etype = "pcm")
grey_death <- finegray(Surv(time, state) ~ ., data = mgus, etype = "death")
copied <- mgus[rep(seq_len(nrow(mgus)), mgus$copies), ]
# finegray ignores weights in the censoring curve. Here they count: the curve is that of the copied people,
# and then one row stands for all copies, with their weight (Efron's ties differ between weights and copies).
grey_copied <- finegray(Surv(time, state) ~ ., data = copied, etype = "pcm")
grey_copied <- grey_copied[!duplicated(grey_copied[, c("id", "fgstart")]), ]
grey_tied <- finegray(Surv(time, state) ~ ., data = tied, etype = "one")
hazards <- list(
  bladder2_total = quote(coxph(Surv(start, stop, event) ~ rx + size + number + strata(enum), data = bladder2, cluster = id, control = to_the_end)),
  bladder2_gap = quote(coxph(Surv(stop - start, event) ~ rx + size + number + strata(enum), data = bladder2, cluster = id, control = to_the_end)),
  bladder1_total = quote(coxph(Surv(start, stop, event) ~ treatment + size + number + strata(enum), data = bladder, cluster = id, control = to_the_end)),
  bladder1_gap = quote(coxph(Surv(stop - start, event) ~ treatment + size + number + strata(enum), data = bladder, cluster = id, control = to_the_end)),
  bladder1_total_four = quote(coxph(Surv(start, stop, event) ~ treatment + size + number + strata(pmin(enum, 4)), data = bladder, cluster = id, control = to_the_end)),
  bladder1_gap_four = quote(coxph(Surv(stop - start, event) ~ treatment + size + number + strata(pmin(enum, 4)), data = bladder, cluster = id, control = to_the_end)),
  random_total = quote(coxph(Surv(start, stop, event) ~ colour + size + treated + strata(enum), data = random, weights = weight, cluster = family, control = to_the_end)),
  random_gap = quote(coxph(Surv(start - clock, stop - clock, event) ~ colour + size + treated + strata(enum), data = random, weights = weight, cluster = family, control = to_the_end)),
  mgus2_fine_gray = quote(coxph(Surv(fgstart, fgstop, fgstatus) ~ age + sex + hgb, data = grey, weights = fgwt, robust = FALSE, control = to_the_end)),
  mgus2_fine_gray_id = quote(coxph(Surv(fgstart, fgstop, fgstatus) ~ age + sex + hgb, data = grey, weights = fgwt, cluster = id, control = to_the_end)),
  mgus2_fine_gray_family = quote(coxph(Surv(fgstart, fgstop, fgstatus) ~ age + sex + hgb, data = grey, weights = fgwt, cluster = family, control = to_the_end)),
  mgus2_fine_gray_death = quote(coxph(Surv(fgstart, fgstop, fgstatus) ~ age + sex + hgb, data = grey_death, weights = fgwt, cluster = id, control = to_the_end)),
  mgus2_fine_gray_copies = quote(coxph(Surv(fgstart, fgstop, fgstatus) ~ age + sex + hgb, data = grey_copied, weights = fgwt * copies, cluster = id, control = to_the_end)),
  mgus2_cause_specific = quote(coxph(Surv(time, state == "pcm") ~ age + sex + hgb, data = mgus, cluster = id, control = to_the_end)),
  tied_fine_gray = quote(coxph(Surv(fgstart, fgstop, fgstatus) ~ x + size, data = grey_tied, weights = fgwt, cluster = family, control = to_the_end)),
  tied_cause_specific = quote(coxph(Surv(time, state == "one") ~ x + size, data = tied, cluster = family, control = to_the_end))
)
hazard_rows <- do.call(rbind, lapply(names(hazards), function(case) {
  fit <- eval(hazards[[case]])
  has_robust <- !is.null(fit$naive.var)
  model <- if (has_robust) fit$naive.var else fit$var
  data.frame(case = case, name = names(coef(fit)), coef = number(coef(fit)), se_model = number(sqrt(diag(model))),
             se_robust = if (has_robust) number(sqrt(diag(fit$var))) else "")
}))
# Fine and Gray's own variance, which allows for the estimation of the censoring; Breslow ties
own <- quote(crr(mgus$time, mgus$cause, cbind(mgus$age, mgus$sex == "M", mgus$hgb), failcode = 1, cencode = 0))
fit <- eval(own)
hazard_rows <- rbind(hazard_rows, data.frame(case = "mgus2_crr", name = c("age", "sexM", "hgb"), coef = number(fit$coef),
                                             se_model = "", se_robust = number(sqrt(diag(fit$var)))))
hazards$mgus2_crr <- own
write.csv(hazard_rows, "hazards.csv", row.names = FALSE)
write.csv(told(hazards), "hazards_calls.csv", row.names = FALSE)

# ---- mean cumulative counts ----------------------------------------------------------------------
# Ghosh & Lin's estimator put together from two survfits: mu = sum S(t-) dR(t). The influence of a person
# follows from those of S and R by the product rule; summed by cluster and squared it is the variance.
# survfit's influence by id holds the weight already (checked below against its own error).
mean_count <- function(data, days, cluster, weighted = FALSE) {
  data$w <- if (weighted) data$weight else 1
  stay <- survfit(Surv(start, stop, terminal) ~ 1, data = data, id = id, weights = w, influence = TRUE, robust = TRUE)
  rate <- survfit(Surv(start, stop, event) ~ 1, data = data, id = id, weights = w, influence = TRUE, robust = TRUE)
  stopifnot(identical(stay$time, rate$time), rownames(stay$influence.surv) == rownames(rate$influence.chaz))
  person <- rownames(stay$influence.surv)
  stopifnot(all.equal(sqrt(colSums(rate$influence.chaz^2)), rate$std.chaz))
  shift <- function(x, first) cbind(first, x[, -ncol(x), drop = FALSE])
  before <- c(1, stay$surv[-length(stay$surv)])
  jump <- diff(c(0, rate$cumhaz))
  moved_before <- shift(stay$influence.surv, 0)
  moved_jump <- rate$influence.chaz - shift(rate$influence.chaz, 0)
  moved <- t(apply(sweep(moved_before, 2, jump, "*") + sweep(moved_jump, 2, before, "*"), 1, cumsum))
  at <- findInterval(days, stay$time)
  list(days = days, count = cumsum(before * jump)[at], moved = rowsum(moved[, at, drop = FALSE], data[[cluster]][match(person, data$id)]))
}
told_count <- function(m) { se <- sqrt(colSums(m$moved^2)); data.frame(time = m$days, estimate = number(m$count), se = number(se),
  ci_low = number(m$count * exp(-qnorm(0.975) * se / m$count)), ci_high = number(m$count * exp(qnorm(0.975) * se / m$count))) }

# Ghosh & Lin (2000), the published variance for untied data, by plain loops over people and days:
# Psi_i(t) = int S(u) dM_i(u) / Y(u) - int (mu(t) - mu(u)) dM_i^D(u) / Y(u). With ties it differs from the
# derivative in terms of order 1/n: it is compared to 2 %.
ghosh_lin <- function(data, days) {
  times <- sort(unique(data$stop)); people <- unique(data$id)
  at_risk <- events <- deaths <- matrix(0, length(people), length(times))
  for (r in seq_len(nrow(data))) {
    i <- match(data$id[r], people); j <- match(data$stop[r], times)
    at_risk[i, times > data$start[r] & times <= data$stop[r]] <- 1
    events[i, j] <- events[i, j] + data$event[r]; deaths[i, j] <- deaths[i, j] + data$terminal[r]
  }
  y <- colSums(at_risk); dr <- colSums(events) / y; dl <- colSums(deaths) / y
  stays <- cumprod(1 - dl); before <- c(1, stays[-length(stays)]); mu <- cumsum(before * dr)
  one <- function(day) {
    k <- max(which(times <= day)); psi <- numeric(length(people))
    for (i in seq_along(people)) for (j in 1:k) {
      psi[i] <- psi[i] + stays[j] * (events[i, j] - at_risk[i, j] * dr[j]) / y[j] -
        (mu[k] - mu[j]) * (deaths[i, j] - at_risk[i, j] * dl[j]) / y[j]
    }
    c(mu[k], sqrt(sum(psi^2)))
  }
  found <- vapply(days, one, numeric(2))
  data.frame(time = days, estimate = number(found[1, ]), se = number(found[2, ]), ci_low = "", ci_high = "")
}
# without terminal events: R's own cumulative hazard with errors by person
nelson_aalen <- function(fit, days) { s <- summary(fit, times = days); data.frame(time = days, estimate = number(s$cumhaz),
  se = number(s$std.chaz), ci_low = "", ci_high = "") }
counted$id <- counted$person
months <- c(3, 12, 24, 36, 53)
fortnight <- c(2, 5, 9, 12, 16)
counts <- list(
  bladder1 = quote(told_count(mean_count(bladder, months, "id"))),
  bladder1_family = quote(told_count(mean_count(bladder, months, "family", weighted = TRUE))),
  bladder1_published = quote(ghosh_lin(bladder, months)),
  bladder1_nelson_aalen = quote(nelson_aalen(survfit(Surv(start, stop, event) ~ 1, data = bladder, id = id, robust = TRUE), months)),
  counted = quote(told_count(mean_count(counted, fortnight, "id"))),
  counted_family = quote(told_count(mean_count(counted, fortnight, "family", weighted = TRUE)))
)
count_rows <- do.call(rbind, lapply(names(counts), function(case) data.frame(case = case, eval(counts[[case]]))))
write.csv(count_rows, "counts.csv", row.names = FALSE)
write.csv(told(counts), "counts_calls.csv", row.names = FALSE)

both <- lapply(1:0, function(group) mean_count(counted[counted$is_started == group, ], fortnight, "family", weighted = TRUE))
sums <- lapply(both, function(m) { all <- matrix(0, 50, length(fortnight)); all[as.integer(rownames(m$moved)) + 1, ] <- m$moved; all })
write.csv(data.frame(time = fortnight, start = number(both[[1]]$count), no_start = number(both[[2]]$count),
                     difference = number(both[[1]]$count - both[[2]]$count),
                     se = number(sqrt(colSums((sums[[1]] - sums[[2]])^2)))), "differences.csv", row.names = FALSE)
