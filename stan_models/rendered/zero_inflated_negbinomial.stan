// hierfit: hierarchical regression, family zero_inflated_negbinomial, engine full:
// every group effect is a parameter.
//
//   y[i] is 0 with probability zi, otherwise ~ neg_binomial_2(exp(eta[i]), shape)
//   link(shape or zi)[i] = X_aux[i] * b_aux + the same of columns that feed it, where it has predictors
//   eta[i] = X[i] * b + sum over factors f, columns m of Z[i, m] * u_f[level_f[i], m] + offsets[i]
//   u_f[j] ~ multi_normal(0, diag(sd_f) * R_f * diag(sd_f)),  R_f ~ lkj_corr(eta_f)
//
// Rendered from glmm.stan.j2 and families/zero_inflated_negbinomial.stan.j2; edit those and run `make rendered`.
// The formula, its size and all priors are data, so this one program serves every formula of the family.
// X and Z arrive divided by their sds, so theta_std is near 1 in size. theta and cor are in the units of the CSV (eta's
// for y), and so are the priors on them.
functions {
  // Log density of a prior up to a constant; the numbers are those of hierfit/model/priors.py.
  real prior_lpdf(real x, int distribution, vector a) {
    if (distribution == 0) return 0; // flat: the bounds say it all
    if (distribution == 1) return normal_lpdf(x | a[1], a[2]);
    if (distribution == 2) return student_t_lpdf(x | a[1], a[2], a[3]);
    if (distribution == 3) return cauchy_lpdf(x | a[1], a[2]);
    if (distribution == 4) return double_exponential_lpdf(x | a[1], a[2]);
    if (distribution == 11) return logistic_lpdf(x | a[1], a[2]);
    if (distribution == 5) return lognormal_lpdf(x | a[1], a[2]);
    if (distribution == 6) return exponential_lpdf(x | a[1]);
    if (distribution == 7) return gamma_lpdf(x | a[1], a[2]);
    if (distribution == 8) return inv_gamma_lpdf(x | a[1], a[2]);
    if (distribution == 9) return 0; // uniform: the bounds say it all
    if (distribution == 10) return beta_lpdf(x | a[1], a[2]);
    reject("unknown prior distribution ", distribution);
  }

  // Cholesky factor of an M x M correlation matrix from its canonical partial correlations, row by row below the
  // diagonal (Lewandowski, Kurowicka & Joe 2009).
  matrix cholesky_from_partials(vector partial, int M) {
    matrix[M, M] L = identity_matrix(M);
    int p = 0;
    for (i in 2 : M) {
      real remaining = 1; // squared length of row i not yet used
      for (j in 1 : i - 1) {
        p += 1;
        L[i, j] = partial[p] * sqrt(remaining);
        remaining *= 1 - square(partial[p]);
      }
      L[i, i] = sqrt(remaining);
    }
    return L;
  }

  // Sd of the first effect of a factor where its columns are z, given the Cholesky factor L of the covariance of its
  // effects where they are 0: that of the others is the same.
  real first_sd(matrix L, vector z) {
    return sqrt(dot_self(L[1] + z' * L)); // z[1], of the intercept, is 0
  }

  // What the density of sds and correlations where priors speak lacks to that of those here, `ratio` being the first sd
  // here over that there: det(R)^(eta - 1) there for that here, det of the covariance being the same; and the slope of
  // covariances in sds and correlations, the sds to the power of M.
  real change_of_place(real ratio, int M, real eta) {
    return (M + 2 * (eta - 1)) * log(ratio);
  }

  // R ~ lkj_corr(eta) in terms of the partial correlations: the one given j - 1 others is independent
  // 2 * beta(a, a) - 1 with a = eta + (M - 1 - j) / 2 (Lewandowski, Kurowicka & Joe 2009, section 2.4).
  real lkj_partials_lpdf(vector partial, real eta, int M) {
    real density = 0;
    int p = 0;
    for (i in 2 : M) {
      for (j in 1 : i - 1) {
        p += 1;
        density += (eta + (M - 1 - j) / 2.0 - 1) * log1m(square(partial[p]));
      }
    }
    return density;
  }

  // Log probability of a count y whose own log probability is `counted` unless it is an excess zero.
  real zero_inflated(int y, real zi, real counted) {
    return y == 0 ? log_mix(zi, 0, counted) : log1m(zi) + counted;
  }

}
data {
  int<lower=0> N; // rows
  array[N] int<lower=0> y; // outcome
  int<lower=0, upper=1> has_offset;
  vector[has_offset ? N : 0] offsets; // what is added to the linear predictor
  real origin; // what the linear predictor counts from: the link of the mean of y, where there is an intercept
  int<lower=0, upper=1> has_weights;
  vector<lower=0>[has_weights ? N : 0] weights; // how often each row counts
  int<lower=0, upper=1> prior_only; // 1: leave the outcome out

  // population-level coefficients, the intercept first where there is one
  int<lower=0> K; // coefficients
  int<lower=0, upper=K> K_rows; // those left in the rows: the others are in the means of group effects
  array[K_rows] int in_rows; // which
  matrix[N, K_rows] X; // their columns, centred and divided by their sd
  vector[K] X_at_prior; // the columns where the prior of the intercept speaks; zeros: at their centers

  // grouping factors and their varying columns, those of one factor side by side
  int<lower=0> F; // factors
  array[F] int<lower=1> J; // levels of each
  array[F] int<lower=1> M; // varying columns of each
  array[F] int<lower=0, upper=1> correlated;
  array[F] real<lower=0> lkj_eta; // prior of the correlations
  array[F, N] int<lower=1> level; // level of each row
  int<lower=0> C; // varying columns of all factors, sum(M)
  array[C] int<lower=0, upper=1> is_intercept; // 1: a column of ones
  array[C] vector[N] Z; // the columns, centred where correlations allow it and divided by their sd

  // nested factors: where the levels of one lie within those of another, rows see the total of both first effects
  array[F] int<lower=1, upper=F> outer_first; // the factors, each after the one that it is nested in
  array[F] int<lower=0, upper=F> within; // that one; 0: none
  array[sum(J)] int<lower=1> outer_level; // which of its levels each level lies in; 1 where there is none

  // hierarchical centring: where the data say much of effects, z holds them and their mean together
  int<lower=0> U; // group effects of all factors
  vector<lower=0, upper=1>[U] narrowed; // how much the data narrow each, if so; 1: not so. In the order of z
  array[C] int<lower=0, upper=K> slope; // coefficient that is the mean of a varying one; 0: none is
  matrix[sum(J), K] level_X; // what the coefficients add to the mean of each level's first varying one

  // sweeping: b takes in the mean over the levels of a varying column's effects, which rows cannot tell from it
  array[C] int<lower=0, upper=1> swept;
  matrix[C, K] Z_in_X; // a swept column of Z as a sum of columns of X; zeros for the others
  vector[C] Z_at_prior; // the varying columns where priors of sds and correlations speak; zeros: at their centers

  // auxiliary parameters of the family
  int<lower=0> A;
  array[C] int<lower=0, upper=A> feeds; // which of them a varying column is of; 0: eta
  int<lower=0> S; // coefficients of them, one parameter's after the other's; none of those that are one number
  array[A] int<lower=0> S_of; // of each
  matrix[S > 0 ? N : 0, S] X_aux; // their columns, centred and divided by their sd; an intercept's is ones
  vector[S] X_aux_at_prior; // the columns where the priors of intercepts speak; zeros: at their centers

  // theta: K coefficients b, C sds, A auxiliary parameters aux, S coefficients of these b_aux, one after the other
  int<lower=0> T; // how many
  vector[T] theta_location; // what each counts from: the link of the mean of y for the intercept; otherwise 0
  vector<lower=0>[T] theta_scale; // theta per unit of theta_std
  array[T] int theta_prior;
  matrix[T, 3] theta_prior_arguments;
  int<lower=0, upper=T> T_free; // those not fixed by a constant() prior
  array[T_free] int theta_free; // which
  vector[T_free] theta_lower; // bounds that their priors imply, of theta_std
  vector[T_free] theta_upper;
  vector[T] theta_constant; // values of the fixed ones, less theta_location; 0 elsewhere

  // horseshoe: coefficients whose priors share a scale
  int<lower=0, upper=T_free> H; // how many
  array[H] int horseshoe; // which of theta
  array[H] int horseshoe_std; // which of theta_std
  int horseshoe_prior; // prior of the scale that they share
  vector[3] horseshoe_prior_arguments;
}
transformed data {
  int P = 0; // correlations of all correlated factors
  vector[K] b_scale = head(theta_scale, K);
  vector[C] sd_scale = tail(head(theta_scale, K + C), C); // a slice of nothing behind the end is refused
  vector[T_free] free_scale = theta_scale[theta_free];
  vector[N] fixed = rep_vector(origin, N); // what eta has without coefficients and effects
  array[F] int before_j = rep_array(0, F); // levels, effects, columns and correlations of the factors before each
  array[F] int before_u = rep_array(0, F);
  array[F] int before_c = rep_array(0, F);
  array[F] int before_p = rep_array(0, F);
  array[F] int is_outer = rep_array(0, F); // whether another is nested in it
  array[C] int centered = rep_array(0, C); // in how many levels z holds effects with their mean: all, none; inner, any
  array[sum(J)] int centered_first; // the levels of each factor, those whose first effects are so before the others
  array[F] int has_level_X; // whether coefficients add to the mean of each level's first effect
  if (has_offset) fixed += offsets;
  for (f in 1 : F) {
    before_p[f] = P;
    if (f > 1) {
      before_j[f] = before_j[f - 1] + J[f - 1];
      before_u[f] = before_u[f - 1] + J[f - 1] * M[f - 1];
      before_c[f] = before_c[f - 1] + M[f - 1];
    }
    if (within[f] > 0) is_outer[within[f]] = 1;
    for (m in 1 : M[f]) {
      vector[J[f]] column = segment(narrowed, before_u[f] + (m - 1) * J[f] + 1, J[f]);
      for (one in column) centered[before_c[f] + m] += one < 1;
      if (m == 1) centered_first[before_j[f] + 1 : before_j[f] + J[f]] = sort_indices_asc(column);
    }
    P += (correlated[f] * M[f] * (M[f] - 1)) %/% 2;
    has_level_X[f] = max(abs(to_vector(level_X[sum(J[1 : f - 1]) + 1 : sum(J[1 : f])]))) > 0;
  }
}
parameters {
  vector<lower=theta_lower, upper=theta_upper>[T_free] theta_std;
  vector<lower=-1, upper=1>[P] partial; // canonical partial correlations
  vector<lower=0>[H > 0 ? 1 : 0] horseshoe_global; // scale that the coefficients under a horseshoe share,
  vector<lower=0>[H] horseshoe_local; // what each multiplies it by,
  vector<lower=0>[H > 0 ? 1 : 0] slab; // and the square of how far the large ones may go, all per unit of theta_std
  vector[U] z; // group effects, factor by factor, column by column: with their mean, or before scaling and correlating
}
transformed parameters {
  vector[T] theta = theta_constant; // less theta_location; intercepts at the mean of X and X_aux where these are centred; swept means included in b
  vector[P] cor; // correlations, row by row below the diagonal
  theta[theta_free] = free_scale .* theta_std;
  if (H > 0) { // Piironen & Vehtari 2017: theta_std is what is normal(0, 1) times its scale
    vector[H] spread = horseshoe_global[1] * horseshoe_local;
    theta[horseshoe] .*= spread .* sqrt(slab[1] ./ (slab[1] + square(spread)));
  }
  {
    int p = 0;
    for (f in 1 : F) {
      int pairs = (correlated[f] * M[f] * (M[f] - 1)) %/% 2;
      if (pairs > 0) {
        matrix[M[f], M[f]] R = multiply_lower_tri_self_transpose(
                                 cholesky_from_partials(segment(partial, p + 1, pairs), M[f]));
        for (i in 2 : M[f]) {
          for (j in 1 : i - 1) {
            p += 1;
            cor[p] = R[i, j];
          }
        }
      }
    }
  }
}
model {
  vector[T] scaled = theta ./ theta_scale;
  vector[T] at_prior = theta; // each where its prior speaks
  vector[K] b_scaled = head(scaled, K); // per unit of the columns of X
  vector[C] sd_scaled = tail(head(scaled, K + C), C);
  vector[N] eta; // linear predictor; X * b comes last
  vector[K_rows] b_in_rows = b_scaled[in_rows];
  vector[K] means = rep_vector(0, K); // of effects, which b_scaled holds besides the coefficients
  array[A] vector[rows(X_aux)] linked; // linear predictors of auxiliary parameters
  {
    int s = 1;
    for (a in 1 : A) {
      linked[a] = zeros_vector(rows(X_aux));
      if (S_of[a] > 0) {
        vector[S_of[a]] b_aux = segment(scaled, K + C + A + s, S_of[a]);
        at_prior[K + C + A + s] += theta_scale[K + C + A + s] * dot_product(segment(X_aux_at_prior, s, S_of[a]), b_aux);
        linked[a] = X_aux[, s : s + S_of[a] - 1] * b_aux;
      }
      s += S_of[a];
    }
  }
  vector[sum(is_outer) > 0 ? sum(J) : 0] total = rep_vector(0, sum(is_outer) > 0 ? sum(J) : 0); // of the first effects of factors in which others are nested
  int parts = 0; // of eta
  for (f in outer_first) {
    int j = before_j[f];
    int u = before_u[f];
    int c = before_c[f];
    int p = before_p[f];
    int pairs = (correlated[f] * M[f] * (M[f] - 1)) %/% 2;
    vector[M[f]] sd_f = segment(sd_scaled, c + 1, M[f]);
    matrix[J[f], M[f]] effects = to_matrix(segment(z, u + 1, J[f] * M[f]), J[f], M[f]);
    matrix[J[f], M[f]] standard = effects; // z where it is not centred, and what it would be where it is
    matrix[M[f], M[f]] L = diag_matrix(sd_f); // Cholesky factor of the covariance of an effect
    if (pairs > 0) {
      L = diag_pre_multiply(sd_f, cholesky_from_partials(segment(partial, p + 1, pairs), M[f]));
      segment(partial, p + 1, pairs) ~ lkj_partials(lkj_eta[f], M[f]);
      if (max(abs(segment(Z_at_prior, c + 1, M[f]))) > 0) {
        at_prior[K + c + 1] = sd_scale[c + 1] * first_sd(L, segment(Z_at_prior, c + 1, M[f]));
        target += change_of_place(theta[K + c + 1] / at_prior[K + c + 1], M[f], lkj_eta[f]);
      }
    }
    for (m in 1 : M[f]) { // column by column: L is triangular, so each speaks of the columns before it only
      int is_inner = m == 1 && within[f] > 0;
      int has_mean = slope[c + m] > 0 || is_inner || (m == 1 && has_level_X[f]);
      vector[has_mean ? J[f] : 0] column_mean;
      vector[J[f]] deviations = effects[, m]; // of the effects from their mean
      if (is_inner) {
        int outer = before_j[within[f]];
        column_mean = total[outer + 1 : outer + J[within[f]]][outer_level[j + 1 : j + J[f]]];
      } else {
        column_mean = rep_vector(slope[c + m] > 0 ? b_scaled[slope[c + m]] : 0, has_mean ? J[f] : 0);
      }
      if (m == 1 && has_level_X[f]) column_mean += level_X[j + 1 : j + J[f]] * b_scaled;
      if (centered[c + m] > 0 && centered[c + m] < J[f]) { // an inner factor's first effects
        array[centered[c + m]] int with_mean = segment(centered_first, j + 1, centered[c + m]);
        array[J[f] - centered[c + m]] int without = centered_first[j + 1 + centered[c + m] : j + J[f]];
        standard[with_mean, 1] = (effects[with_mean, 1] - column_mean[with_mean]) / L[1, 1];
        effects[without, 1] = effects[without, 1] * L[1, 1] + column_mean[without];
        target += -centered[c + m] * log(L[1, 1]);
        continue;
      }
      if (centered[c + m]) {
        if (has_mean) deviations -= column_mean;
      } else {
        deviations *= L[m, m];
        if (pairs > 0 && m > 1) deviations += standard[, 1 : m - 1] * L[m, 1 : m - 1]';
        effects[, m] = has_mean ? deviations + column_mean : deviations;
      }
      if (swept[c + m]) {
        real scaled_mean = mean(deviations);
        real mean_scale = narrowed[u + m * J[f]]; // where z holds effects, that of their mean; 1 where it does not
        effects[, m] -= scaled_mean;
        if (centered[c + m]) deviations += scaled_mean / mean_scale - scaled_mean;
        means += scaled_mean / mean_scale * Z_in_X[c + m]';
      }
      if (centered[c + m]) {
        if (pairs > 0 && m > 1) deviations -= standard[, 1 : m - 1] * L[m, 1 : m - 1]';
        standard[, m] = deviations / L[m, m];
        target += -J[f] * log(L[m, m]);
      }
    }
    if (is_outer[f]) total[j + 1 : j + J[f]] = effects[, 1];
    to_vector(standard) ~ std_normal();
    if (prior_only == 0) {
      for (m in 1 + is_outer[f] : M[f]) {
        vector[N] part = effects[level[f], m];
        if (!is_intercept[c + m]) part .*= Z[c + m];
        if (feeds[c + m] > 0) {
          linked[feeds[c + m]] += part;
          continue;
        }
        parts += 1;
        if (parts == 1) eta = fixed + part;
        else eta += part;
      }
    }
  }
  if (parts == 0) eta = fixed;
  vector[K] own = b_scaled - means; // the coefficients themselves: a shift of b, whose Jacobian is 1
  real further = dot_product(X_at_prior, own); // what X * b is where the prior of the intercept speaks
  if (K > 0) own[1] += further; // X_at_prior is 0 where there is no intercept
  at_prior[1 : K] = b_scale .* own;
  for (t in theta_free) theta_location[t] + at_prior[t] ~ prior(theta_prior[t], theta_prior_arguments[t]');
  if (H > 0) {
    theta_std[horseshoe_std] ~ std_normal();
    horseshoe_local ~ cauchy(0, 1);
    horseshoe_global[1] ~ prior(horseshoe_prior, horseshoe_prior_arguments);
    slab ~ inv_gamma(2, 8); // large ones: student_t(4, 0, 2)
  }

  if (prior_only == 0) {
    real shape_of_all = fmin(scaled[K + C + 1], 1e+08); // its density loses all digits beyond
    real zi_of_all = scaled[K + C + 2];
    vector[rows(X_aux)] shape_of_row = rep_vector(shape_of_all, rows(X_aux));
    if (S_of[1] > 0) shape_of_row = fmin(exp(linked[1]), 1e+08);
    vector[rows(X_aux)] zi_of_row = rep_vector(zi_of_all, rows(X_aux));
    if (S_of[2] > 0) zi_of_row = inv_logit(linked[2]);
    eta += X * b_in_rows;
    for (i in 1 : N) {
      real shape = S > 0 ? shape_of_row[i] : shape_of_all;
      real zi = S > 0 ? zi_of_row[i] : zi_of_all;
      real row = zero_inflated(y[i], zi, neg_binomial_2_log_lpmf(y[i] | eta[i], shape));
      target += (has_weights ? weights[i] : 1) * row;
    }
  }
}
