# Golden numbers for the sensitivity analyses.
# Run in this folder:  Rscript make_golden.R
# Writes pseudo.csv (pseudo-values of the risk of relapse of survival's mgus2, progression against
# death, at 120 months: survival::pseudo) and rubin.csv (mice::pool.scalar, Barnard & Rubin's df).
suppressMessages({library(survival); library(mice)})
options(digits = 15)
number <- function(x) trimws(formatC(x, digits = 17, format = "g"))
save_as <- function(name, table) {
  for (column in names(table)) if (is.numeric(table[[column]])) table[[column]] <- number(table[[column]])
  write.csv(table, paste0(name, ".csv"), row.names = FALSE, quote = FALSE)
}

# ---- pseudo-values: 1 progression, 2 death; 300 people; month 0 is moved to month 1 -------------
people <- mgus2[1:300, ]
people$last <- with(people, pmax(ifelse(pstat == 1, ptime, futime), 1))
people$kind <- with(people, ifelse(pstat == 1, 1, 2 * death))
people$state <- factor(people$kind, 0:2, c("censor", "progression", "death"))
fit <- survfit(Surv(last, state) ~ 1, data = people, id = seq_len(nrow(people)))
values <- pseudo(fit, times = 120, type = "pstate")
save_as("pseudo", data.frame(stop = people$last, cause = people$kind, pseudo = values[, "progression"]))

# ---- Rubin's rules ------------------------------------------------------------------------------
set.seed(19)
cases <- list(list(m = 5, n = 3000, b = 0.01), list(m = 20, n = 60, b = 0.05), list(m = 2, n = 300, b = 0.2))
rubin <- do.call(rbind, lapply(seq_along(cases), function(case) {
  one <- cases[[case]]
  estimate <- rnorm(one$m, -0.04, one$b); se <- runif(one$m, 0.01, 0.06)
  pooled <- pool.scalar(estimate, se^2, n = one$n, k = 1)
  data.frame(case = case, n = one$n, estimate = estimate, se = se, pooled = pooled$qbar,
             pooled_se = sqrt(pooled$t), df = pooled$df)
}))
save_as("rubin", rubin)
writeLines(c(R.version.string, paste("survival", packageVersion("survival")), paste("mice", packageVersion("mice"))),
           "versions.txt")
