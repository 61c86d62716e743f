# Golden numbers for E-values and empirical calibration, in base R (no package).
# Run in this folder:  Rscript make_golden.R
# Writes controls.csv (negative controls, made here), calibration.csv (mean and sd by optim, and the
# calibrated results), e_values.csv; the formulas are typed from the papers, not from the Python.
options(digits = 15)
number <- function(x) trimws(formatC(x, digits = 17, format = "g"))
save_as <- function(name, table) {
  for (column in names(table)) if (is.numeric(table[[column]])) table[[column]] <- number(table[[column]])
  write.csv(table, paste0(name, ".csv"), row.names = FALSE, quote = FALSE)
}

# ---- E-values: VanderWeele & Ding 2017, Box 1 and Table 2 ---------------------------------------
of_ratio <- function(rr) { if (rr < 1) rr <- 1 / rr; rr + sqrt(rr * (rr - 1)) }
of_limit <- function(low, high) if (low <= 1 && high >= 1) 1 else if (low > 1) of_ratio(low) else of_ratio(high)
from_hazard <- function(hr) (1 - 0.5^sqrt(hr)) / (1 - 0.5^sqrt(1 / hr))
ratios <- data.frame(estimate = c(3.9, 0.8, 0.55, 1, 1.02, 0.2, 12),
                     ci_low = c(1.8, 0.71, 0.3, 0.9, 1.0001, 0.05, 2),
                     ci_high = c(8.7, 0.91, 1.2, 1.1, 1.04, 0.9999, 70))
ratios$e_value <- sapply(ratios$estimate, of_ratio)
ratios$e_value_limit <- mapply(of_limit, ratios$ci_low, ratios$ci_high)
ratios$risk_ratio <- from_hazard(ratios$estimate)
ratios$common_e_value <- sapply(from_hazard(ratios$estimate), of_ratio)
ratios$common_e_value_limit <- mapply(of_limit, from_hazard(ratios$ci_low), from_hazard(ratios$ci_high))
save_as("e_values", ratios)

# ---- systematic error: Schuemie et al. 2014, likelihood of normal controls with known errors ----
set.seed(4)
draw <- function(case, k, mean, sd) {
  error <- runif(k, 0.05, 0.3)
  data.frame(case = case, estimate = rnorm(k, rnorm(k, mean, sd), error), error = error)
}
controls <- rbind(draw("biased", 40, 0.3, 0.25), draw("few", 6, -0.2, 0.3),
                  draw("only_chance", 12, 0, 0), draw("only_mean", 8, 0.4, 0.02))
save_as("controls", controls)
minus_log <- function(parameters, estimate, error)
  -sum(dnorm(estimate, parameters[1], sqrt(exp(2 * parameters[2]) + error^2), log = TRUE))
fit <- function(estimate, error) {
  # from several places, as the likelihood may have more than one top; sd on the log scale
  tries <- lapply(c(-9, -4, -2, -1), function(start)
    optim(c(mean(estimate), start), minus_log, estimate = estimate, error = error, method = "BFGS",
          control = list(reltol = 1e-15, maxit = 5000)))
  best <- tries[[which.min(sapply(tries, `[[`, "value"))]]
  polished <- optim(best$par, minus_log, estimate = estimate, error = error, method = "Nelder-Mead",
                    control = list(reltol = 1e-16, maxit = 20000))
  list(mean = polished$par[1], sd = exp(polished$par[2]), value = polished$value)
}
result <- data.frame(estimate = c(-0.35, 0.1), error = c(0.12, 0.2))
calibration <- do.call(rbind, lapply(unique(controls$case), function(case) {
  mine <- controls[controls$case == case, ]
  found <- fit(mine$estimate, mine$error)
  k <- nrow(mine)
  mean_error <- 1 / sqrt(sum(1 / (found$sd^2 + mine$error^2)))
  centred <- result$estimate - found$mean
  plug_in <- sqrt(result$error^2 + found$sd^2)
  careful <- sqrt(result$error^2 + found$sd^2 + mean_error^2)
  data.frame(case = case, n = k, mean = found$mean, sd = found$sd, mean_se = mean_error, minus_log = found$value,
             result, calibrated = centred,
             plug_in_low = centred - qnorm(0.975) * plug_in, plug_in_high = centred + qnorm(0.975) * plug_in,
             # two-sided, as in EmpiricalCalibration::calibrateP: the smaller tail of the null, twice
             plug_in_p = 2 * pmin(pnorm(result$estimate, found$mean, plug_in),
                                  pnorm(result$estimate, found$mean, plug_in, lower.tail = FALSE)),
             low = centred - qt(0.975, k - 1) * careful, high = centred + qt(0.975, k - 1) * careful,
             p = 2 * pt(-abs(centred / careful), k - 1))
}))
save_as("calibration", calibration)
writeLines(paste0("R ", getRversion()), "versions.txt")
