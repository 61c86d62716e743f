# Golden numbers of restricted cubic splines: splines::ns spans the same columns (another basis),
# so fitted values, log likelihoods and the coefficient of what stands beside must agree.
#   cd tests/golden/splines && Rscript make_golden.R
# Writes people.csv (the data), fits.csv, coefficients.csv, versions.csv.
library(survival)
library(splines)
set.seed(3)
n <- 400
people <- data.frame(age = sample(0:90, n, TRUE), treated = rbinom(n, 1, 0.4))
risk <- exp(-5 + 0.4 * people$treated + 0.9 * sin(people$age / 12))
people$stop_day <- pmin(900, ceiling(rexp(n, risk)))
people$is_event <- as.integer(people$stop_day < 900)
write.csv(people, "people.csv", row.names = FALSE)
where <- list("3" = c(.1, .5, .9), "4" = c(.05, .35, .65, .95), "5" = c(.05, .275, .5, .725, .95),
  "6" = c(.05, .23, .41, .59, .77, .95), "7" = c(.025, .1833, .3417, .5, .6583, .8167, .975))
fits <- list()
told <- list()
for (k in names(where)) {
  knots <- quantile(people$age, where[[k]])
  basis <- ns(people$age, knots = knots[-c(1, length(knots))], Boundary.knots = knots[c(1, length(knots))])
  fit <- coxph(Surv(stop_day, is_event) ~ treated + basis, people,
    control = coxph.control(eps = 1e-11, toler.chol = 1e-13, iter.max = 50))
  centred <- as.matrix(cbind(people$treated, basis)) %*% coef(fit)
  fits[[k]] <- as.vector(centred - mean(centred))
  told[[k]] <- data.frame(n_knots = as.integer(k), treated = sprintf("%.10f", coef(fit)[["treated"]]),
    se = sprintf("%.10f", sqrt(vcov(fit)[1, 1])), loglik = sprintf("%.8f", fit$loglik[2]))
}
write.csv(format(as.data.frame(fits, check.names = FALSE), digits = 12), "fits.csv", row.names = FALSE, quote = FALSE)
write.csv(do.call(rbind, told), "coefficients.csv", row.names = FALSE)
write.csv(data.frame(what = c("R", "survival", "splines"),
  version = c(paste(R.version$major, R.version$minor, sep = "."),
    as.character(packageVersion("survival")), as.character(packageVersion("splines")))),
  "versions.csv", row.names = FALSE)
