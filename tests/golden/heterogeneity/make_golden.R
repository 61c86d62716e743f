# Golden numbers of the exploration: ridge regression fold by fold, the best linear predictor, sorted
# groups, and the covariance of errors clustered by victim.
#   cd tests/golden/heterogeneity && Rscript make_golden.R
# Writes people.csv (entries, some victims twice, and what was foretold of them), numbers.csv,
# foretold.csv (of the last fold, up to a constant, and the share chosen), versions.csv.
save <- function(frame, file) write.csv(format(frame, digits = 15, trim = TRUE), file, row.names = FALSE, quote = FALSE)
set.seed(41)
n <- 240
victim <- sample(0:179, n, TRUE)
fold <- sample(rep(0:3, length.out = 180))[victim + 1]
people <- data.frame(victim, fold, kind = sample(c("a", "b", "c"), n, TRUE),
  sex = sample(c("f", "m"), n, TRUE), age = round(rnorm(n, 35, 10)))
people$score <- round(rnorm(n, 0, 1) + 0.6 * (people$kind == "b") + 0.02 * people$age, 4)
people$foretold <- ifelse(fold == 0, NA, round(rnorm(n, 0.2 * (people$kind == "b"), 0.3), 4))
write.csv(people, "people.csv", row.names = FALSE, quote = FALSE)

# Covariance clustered by victim, as Stata and sandwich::vcovCL(type = "HC1") have it.
clustered <- function(fit, cluster) {
  x <- model.matrix(fit); w <- weights(fit)
  moves <- rowsum(x * w * (fitted(fit) * 0 + fit$residuals), cluster)
  bread <- solve(crossprod(x * sqrt(w)))
  g <- nrow(moves); m <- nrow(x)
  g / (g - 1) * (m - 1) / (m - ncol(x)) * bread %*% crossprod(moves) %*% bread
}
told <- people[people$fold > 0, ]
centre <- ave(told$foretold, told$fold)
told$z <- (told$foretold - centre) / sqrt(ave((told$foretold - centre)^2, told$fold))
told$w <- sqrt(told$fold)
told$rank <- ave(told$foretold, told$fold, FUN = function(x) (rank(x, ties.method = "first") - 0.5) / length(x))
told$group <- pmin(floor(told$rank * 3), 2)
blp <- lm(score ~ z + factor(fold), told, weights = w)
gates <- lm(score ~ 0 + factor(group), told, weights = w)
v_blp <- clustered(blp, told$victim); v_gates <- clustered(gates, told$victim)
turn <- rbind(diag(3), c(1, 0, -1))
# AUTOC: the mean over q of the effect among the first q less that of the fold, by adding up ranks.
place <- -log(told$rank) - 1
autoc <- with(told, sum(w * (place - ave(place, fold)) * (score - ave(score, fold))) / sum(w))
numbers <- data.frame(number = c("spread", "most", "middle", "least", "gap", "autoc"),
  estimate = c(coef(blp)["z"], turn %*% coef(gates), autoc),
  se = c(sqrt(v_blp["z", "z"]), sqrt(diag(turn %*% v_gates %*% t(turn))), NA))
save(numbers, "numbers.csv")

# Ridge as random coefficients: marginal likelihood by the full covariance matrix of the scores.
train <- people[people$fold < 3, ]
spread <- function(x) (x - mean(x)) / sqrt(mean((x - mean(x))^2))
kinds <- model.matrix(~ 0 + kind, people); sexes <- model.matrix(~ 0 + sex, people)
x <- cbind(kinds, sexes, spread(people$age))
xt <- scale(x[people$fold < 3, ], scale = FALSE); y <- train$score - mean(train$score); m <- length(y)
shares <- c(1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1)
ratio <- shares * m / sum(xt^2)
likelihood <- sapply(ratio, function(h) {
  v <- diag(m) + h * xt %*% t(xt)
  -0.5 * (determinant(v)$modulus + (m - 1) * log(sum(y * solve(v, y))))
})
best <- which.max(likelihood)
beta <- ratio[best] * t(xt) %*% solve(diag(m) + ratio[best] * xt %*% t(xt), y)
last <- people$fold == 3
guess <- as.vector(x[last, ] %*% beta)
save(data.frame(row = which(last) - 1, foretold = guess - mean(guess), share = shares[best]), "foretold.csv")
write.csv(data.frame(what = c("R", "call", "made_by"), value = c(R.version.string,
  "lm(score ~ z + factor(fold), weights = w), covariance clustered by hand (CR1)", "make_golden.R")),
  "versions.csv", row.names = FALSE)
