# Golden numbers for few clusters.  Run in this folder:  Rscript make_small_sample.R
#   linear.csv    clubSandwich on a linear model of one column: the jackknife of clusters (CR3) and Satterthwaite's
#                 degrees of freedom; and the data they are of
#   cox.csv       survival: influence by cluster (dfbeta), leverage by cluster from coxph.detail's means and hazards,
#                 and what the coefficient is with each cluster left out (the model fitted anew)
#   risks.csv     clubSandwich CR2 of a weighted mean: HC2 of each arm of a plain comparison of risks
suppressPackageStartupMessages({library(survival); library(clubSandwich)})
number <- function(x) formatC(x, digits = 17, format = "g")
versions <- paste0("R ", getRversion(), ", survival ", packageVersion("survival"), ", clubSandwich ", packageVersion("clubSandwich"))

set.seed(19)
linear <- data.frame(cluster = rep(1:12, times = c(1, 3, 2, 5, 1, 1, 4, 2, 2, 6, 1, 2)))
linear$x <- round(rnorm(nrow(linear)) + (linear$cluster %in% c(4, 10)), 3)
linear$y <- round(0.3 * linear$x + rnorm(nrow(linear)) + rnorm(12)[linear$cluster], 3)
fit <- lm(y ~ 0 + x, data = linear)
told <- coef_test(fit, vcov = vcovCR(fit, cluster = linear$cluster, type = "CR3"), test = "Satterthwaite")
write.csv(linear, "linear_data.csv", row.names = FALSE)
write.csv(data.frame(versions, call = "coef_test(lm(y ~ 0 + x), vcovCR(type = 'CR3'), test = 'Satterthwaite')",
                     se = number(told$SE), freedom = number(told$df_Satt)), "linear.csv", row.names = FALSE)

random <- read.csv("../data/random.csv")
random$colour <- factor(ifelse(random$colour == "", "missing", random$colour), levels = c("blue", "green", "red", "missing"))
to_the_end <- coxph.control(eps = 1e-11, iter.max = 60)
call <- quote(coxph(Surv(start, stop, event) ~ colour + size + treated, data = random, cluster = person, control = to_the_end, x = TRUE))
fit <- eval(call)
place <- which(names(coef(fit)) == "treated")
influence <- rowsum(residuals(fit, type = "dfbeta"), random$person)[, place]
# coxph.detail: by day with events the hazard and the mean of each column (Efron: over the day's ties)
day <- coxph.detail(fit)
v <- fit$naive.var[place, ]
a <- drop(fit$x %*% v)
mean_a <- drop(day$means %*% v)
risk <- exp(drop(fit$x %*% coef(fit)) - sum(fit$means * coef(fit)))
leverage <- numeric(nrow(random))
for (j in seq_along(day$time)) {
  is_in <- random$start < day$time[j] & random$stop >= day$time[j]
  tied <- is_in & random$event == 1 & random$stop == day$time[j]
  d <- sum(tied); f <- (seq_len(d) - 1) / d
  h <- 1 / (sum(risk[is_in]) - f * sum(risk[tied]))
  leverage[is_in] <- leverage[is_in] + risk[is_in] * sum(h) * (a[is_in] - mean_a[j])^2
  leverage[tied] <- leverage[tied] - risk[tied] * sum(f * h) * (a[tied] - mean_a[j])^2
}
leverage <- rowsum(leverage, random$person)[, 1]
people <- sort(unique(random$person))
without <- vapply(people, function(i) { call$data <- quote(random[random$person != i, ]); coef(eval(call))[place] }, 0)
write.csv(data.frame(person = people, influence = number(influence), leverage = number(leverage / sum(leverage)),
                     without = number(without)), "cox.csv", row.names = FALSE)
write.csv(data.frame(versions, call = gsub(" +", " ", paste(deparse(call, 500), collapse = " ")), coef = number(coef(fit)[place]),
                     jackknife = number(sqrt(sum((without - coef(fit)[place])^2)))), "cox_call.csv", row.names = FALSE)

# a comparison of risks without censoring or columns: everyone's outcome by the day, two arms of given weights
arms <- data.frame(started = rep(1:0, c(9, 15)), y = c(1, 0, 0, 1, 0, 0, 0, 1, 0, rep(c(1, 0, 0), 5)))
rows <- do.call(rbind, lapply(1:0, function(arm) {
  mine <- arms[arms$started == arm, ]
  fit <- lm(y ~ 1, data = mine)
  data.frame(arm, risk = number(coef(fit)), se = number(sqrt(vcovCR(fit, cluster = seq_len(nrow(mine)), type = "CR2")[1])))
}))
write.csv(cbind(rows, versions, call = "vcovCR(lm(y ~ 1), cluster = row, type = 'CR2')"), "risks.csv", row.names = FALSE)
write.csv(arms, "risks_data.csv", row.names = FALSE)
