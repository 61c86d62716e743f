# Golden numbers of sequential target trials, on TrialEmulation's own example data_censored
# (R package TrialEmulation 0.0.4.9, Apache licence 2.0; github.com/Causal-LDA/TrialEmulation).
# Run in this folder:  Rscript make_sequential.R
# Writes data_censored.csv (the columns used) and
#   expanded.csv  rows and outcomes by trial and arm, from TrialEmulation's data_preparation
#   msm.csv       a row per model and term: trial_msm's coefficients and robust errors; the same by glm
#                 followed to its end (TrialEmulation's stops a step earlier, errors differ by 1e-5 of them)
#   risks.csv     risks by inverse probability weights: glm for treatment, survfit with weights
#   protocol.csv  TrialEmulation's rows per protocol, each with its weight for keeping to the arm
#   kept.csv      weight at risk and risk of started and kept for 4 periods: glm for starts and for ends, survfit with weights
# TrialEmulation's imports duckdb and parglm are not in Debian; the numbers kept were computed with its
# own source files, read in the order of its field Collate.
suppressPackageStartupMessages({library(TrialEmulation); library(survival)})
options(digits = 15)
number <- function(x) trimws(formatC(x, digits = 15, format = "g"))
data("data_censored")
kept <- c("id", "period", "treatment", "x1", "x2", "x3", "x4", "age_s", "outcome", "eligible")
write.csv(data_censored[, kept], "data_censored.csv", row.names = FALSE, quote = FALSE)
versions <- c(R = as.character(getRversion()), TrialEmulation = "0.0.4.9", survival = as.character(packageVersion("survival")),
              sandwich = as.character(packageVersion("sandwich")))
write.csv(data.frame(package = names(versions), version = versions), "versions.csv", row.names = FALSE, quote = FALSE)

prepared <- data_preparation(data_censored, id = "id", period = "period", treatment = "treatment",
                             outcome = "outcome", eligible = "eligible", estimand_type = "ITT",
                             outcome_cov = ~ x2 + x1, use_censor_weights = FALSE, quiet = TRUE)
rows <- as.data.frame(prepared$data)
counted <- aggregate(cbind(rows = 1, outcomes = outcome) ~ trial_period + assigned_treatment, rows, sum)
counted$periods <- aggregate(followup_time ~ trial_period + assigned_treatment, rows, sum)$followup_time
write.csv(counted, "expanded.csv", row.names = FALSE, quote = FALSE)

models <- list(
  plain = list(cov = ~ x2, time = ~ followup_time, trial = ~ 1),
  squares = list(cov = ~ x2 + x1, time = ~ followup_time + I(followup_time^2), trial = ~ trial_period))
found <- list()
for (name in names(models)) {
  asked <- models[[name]]
  fit <- trial_msm(rows, outcome_cov = asked$cov, model_var = "assigned_treatment", estimand_type = "ITT",
                   include_followup_time = asked$time, include_trial_period = asked$trial,
                   use_sample_weights = FALSE, quiet = TRUE)
  far <- glm(formula(fit$model), binomial, rows, control = glm.control(epsilon = 1e-15, maxit = 100))
  se <- sqrt(diag(sandwich::vcovCL(far, cluster = rows$id, type = "HC0")))
  for (one in list(list("trial_msm", fit$robust$summary$estimate, fit$robust$summary$robust_se),
                   list("glm", coef(far), se)))
    found[[length(found) + 1]] <- data.frame(model = name, by = one[[1]], term = names(coef(far)),
                                             coef = number(one[[2]]), se = number(one[[3]]))
}
write.csv(do.call(rbind, found), "msm.csv", row.names = FALSE, quote = FALSE)

# inverse probability weights: of who is eligible, treated now or not; numerator by period alone
begun <- subset(data_censored, eligible == 1)
last <- aggregate(cbind(period, outcome) ~ id, data_censored, max)
begun$left <- last$period[match(begun$id, last$id)] - begun$period + 1
begun$event <- last$outcome[match(begun$id, last$id)]
far <- glm(treatment ~ factor(period) + x1 + x2 + x3 + x4 + age_s, binomial, begun,
           control = glm.control(epsilon = 1e-15, maxit = 100))
share <- ave(begun$treatment, begun$period)
begun$weight <- share / ifelse(begun$treatment == 1, fitted(far), 1 - fitted(far))
curve <- survfit(Surv(left, event) ~ treatment, subset(begun, weight > 1e-9), weights = weight)
at <- summary(curve, times = c(1, 3, 5, 10), extend = TRUE)
write.csv(data.frame(treatment = as.integer(at$strata) - 1, period = at$time, risk = number(1 - at$surv)),
          "risks.csv", row.names = FALSE, quote = FALSE)

# per protocol: both arms censored when the treatment changes, weighted for not having changed it
switched <- data_preparation(data_censored, id = "id", period = "period", treatment = "treatment",
                             outcome = "outcome", eligible = "eligible", estimand_type = "PP",
                             outcome_cov = ~ 1, switch_d_cov = ~ x1 + x2 + x3 + x4 + age_s,
                             switch_n_cov = ~ x4 + age_s, use_censor_weights = FALSE, quiet = TRUE,
                             glm_function = "glm", control = glm.control(epsilon = 1e-15, maxit = 100))
kept <- as.data.frame(switched$data)[, c("id", "trial_period", "followup_time", "assigned_treatment", "outcome", "weight")]
kept$weight <- number(kept$weight)
write.csv(kept, "protocol.csv", row.names = FALSE, quote = FALSE)

# started and kept: starters censored when the treatment ends within 4 periods
days <- 4
long <- do.call(rbind, lapply(which(begun$treatment == 1), function(at) {
  one <- begun[at, ]
  own <- subset(data_censored, id == one$id & period >= one$period)[seq_len(one$left), ]
  own$u <- seq_len(one$left) - 1
  ended <- which(own$treatment == 0 & own$u < days)[1]
  if (!is.na(ended)) own <- own[seq_len(ended), ]
  own$ended <- as.integer(seq_len(nrow(own)) == ended & !is.na(ended))
  own$trial <- at; own$own <- one$weight; own$event <- as.integer(own$u == one$left - 1) * one$event
  own
}))
early <- subset(long, u < days)
far <- glm(ended ~ factor(u >= 2) + x1 + x2 + x3 + x4 + age_s, binomial, early,
           control = glm.control(epsilon = 1e-15, maxit = 100))
long$stay <- 1
long$stay[long$u < days] <- 1 / (1 - fitted(far))
long$weight <- long$own * ave(long$stay, long$trial, FUN = cumprod)
curve <- survfit(Surv(u, u + 1, event) ~ 1, subset(long, ended == 0), weights = weight, timefix = FALSE)
at <- summary(curve, times = 1:12, extend = TRUE)
write.csv(data.frame(period = at$time, at_risk = number(at$n.risk), risk = number(1 - at$surv)), "kept.csv", row.names = FALSE, quote = FALSE)
