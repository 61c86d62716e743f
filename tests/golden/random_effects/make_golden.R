# Golden numbers of R's `metafor` for several estimates pooled.
# Run in this folder:  Rscript make_golden.R
# Writes studies.csv (a row per study and set), pooled.csv (a row per set and method, with call and
# versions), without.csv (a row per study left out: leave1out of the same model).
suppressPackageStartupMessages(library(metafor))
options(digits = 15)
number <- function(x) ifelse(is.na(x), "", formatC(x, digits = 17, format = "g"))

# BCG vaccine trials (Colditz et al. 1994), log risk ratios from their fourfold tables
bcg <- data.frame(tpos = c(4,6,3,62,33,180,8,505,29,17,186,5,27),
                  tneg = c(119,300,228,13536,5036,1361,2537,87886,7470,1699,50448,2493,16886),
                  cpos = c(11,29,11,248,47,372,10,499,45,65,141,3,29),
                  cneg = c(128,274,209,12619,5761,1079,619,87892,7232,1600,27197,2338,17825))
bcg <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = bcg)
set.seed(18)
sets <- list(
  bcg = data.frame(y = as.numeric(bcg$yi), se = sqrt(bcg$vi)),
  alike = data.frame(y = c(-0.21, -0.19, -0.22, -0.2, -0.18), se = c(0.1, 0.15, 0.12, 0.3, 0.09)),
  three = data.frame(y = c(-0.9, 0.1, -0.3), se = c(0.2, 0.15, 0.4)),
  two = data.frame(y = c(-0.5, 0.2), se = c(0.2, 0.3)),
  counties = data.frame(y = round(rnorm(21, -0.3, 0.2), 3), se = round(runif(21, 0.08, 0.5), 3)))
studies <- do.call(rbind, lapply(names(sets), function(n) data.frame(set = n, sets[[n]])))
write.csv(data.frame(set = studies$set, y = number(studies$y), se = number(studies$se)), "studies.csv", row.names = FALSE, quote = FALSE)

control <- list(threshold = 1e-12, maxiter = 10000, tol = 1e-12)
rows <- list(); without <- list()
for (name in names(sets)) for (method in c("REML", "PM")) {
  d <- sets[[name]]
  fixed <- rma(y, sei = se, data = d, method = "FE")
  plain <- rma(y, sei = se, data = d, method = method, test = "knha", control = control)
  held <- rma(y, sei = se, data = d, method = method, test = "adhoc", control = control)
  ci <- confint(plain, control = list(tol = 1e-12, tau2.max = 1e4))$random["tau^2", ]
  k <- nrow(d)
  se <- held$se
  half <- if (k > 2) qt(0.975, k - 2) * sqrt(held$tau2 + se^2) else NA
  rows[[length(rows) + 1]] <- data.frame(set = name, method = method,
    fixed = number(as.numeric(fixed$beta)), fixed_se = number(fixed$se), random = number(as.numeric(held$beta)), se_knha = number(plain$se), se = number(se),
    ci_low = number(held$ci.lb), ci_high = number(held$ci.ub), tau2 = number(held$tau2), tau2_low = number(ci["ci.lb"]), tau2_high = number(ci["ci.ub"]),
    i2 = number(held$I2 / 100), q = number(held$QE), q_p = number(held$QEp),
    prediction_low = number(as.numeric(held$beta) - half), prediction_high = number(as.numeric(held$beta) + half))
  if (k > 2) {
    out <- leave1out(held)
    without[[length(without) + 1]] <- data.frame(set = name, method = method, left_out = seq_len(k),
      estimate = number(out$estimate), se = number(out$se), ci_low = number(out$ci.lb), ci_high = number(out$ci.ub), tau2 = number(out$tau2))
  }
}
write.csv(do.call(rbind, rows), "pooled.csv", row.names = FALSE, quote = FALSE)
write.csv(do.call(rbind, without), "without.csv", row.names = FALSE, quote = FALSE)
writeLines(c("call,versions", paste0("rma(y; sei = se; method = REML|PM; test = adhoc) after knha; confint; leave1out; prediction qt(0.975; k - 2) sqrt(tau2 + se^2),R ", getRversion(), "; metafor ", packageVersion("metafor"))), "calls.csv")
