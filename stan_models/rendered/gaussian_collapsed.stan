// hierfit: hierarchical regression, family gaussian, engine collapsed:
// the effects of one grouping factor are integrated out exactly.
//
//   y[i] ~ normal(eta[i], sigma)
//   eta[i] = X[i] * b + sum over factors f, columns m of Z[i, m] * u_f[level_f[i], m]
//   u_f[j] ~ multi_normal(0, diag(sd_f) * R_f * diag(sd_f)),  R_f ~ lkj_corr(eta_f)
//
// Rendered from glmm.stan.j2 and families/gaussian.stan.j2; edit those and run `make rendered`.
// The formula, its size and all priors are data, so this one program serves every formula of the family.
// X, Z and y arrive divided by their sds, so every *_std parameter is near 1 in size. b, sd, cor, aux are in the
// units of the CSV, and so are the priors on them.
functions {
  // Log density of a prior up to a constant; the numbers are those of hierfit/model/priors.py.
  real prior_lpdf(real x, int distribution, vector a) {
    if (distribution == 0) return 0; // flat: the bounds say it all
    if (distribution == 1) return normal_lpdf(x | a[1], a[2]);
    if (distribution == 2) return student_t_lpdf(x | a[1], a[2], a[3]);
    if (distribution == 3) return cauchy_lpdf(x | a[1], a[2]);
    if (distribution == 4) return double_exponential_lpdf(x | a[1], a[2]);
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

  // Log density of y, up to a constant, for y_j ~ multi_normal(X_j b, Z_j T T' Z_j' + sigma^2 I) in every level j, from
  // cross-products alone. With A_j = sigma^2 I + T' Z_j' Z_j T (M x M), determinant lemma and Woodbury identity give
  //   log det = (N - J M) log(sigma^2) + sum of log det A_j
  //   quadratic form = (r'r - sum of |C_j^-1 T' Z_j' r_j|^2) / sigma^2,  r = y - X b,  A_j = C_j C_j'.
  // All A_j are factored at once: every entry of the small matrices is a vector over the levels.
  real collapsed_log_density(real rr, array[] vector Zr, array[,] vector ZZ, matrix T, real sigma, int N) {
    int M = size(Zr);
    int J = rows(Zr[1]);
    array[M, M] vector[J] C; // A, then its Cholesky factor
    array[M] vector[J] q; // T' Z' r, then C^-1 times it
    real log_det = 2 * (N - J * M) * log(sigma);
    real quadratic = rr;
    for (a in 1 : M) {
      q[a] = zeros_vector(J);
      for (c in a : M) q[a] += T[c, a] * Zr[c];
      for (b in 1 : a) {
        C[a, b] = rep_vector(a == b ? square(sigma) : 0, J);
        for (c in a : M) {
          for (d in b : M) C[a, b] += (T[c, a] * T[d, b]) * ZZ[c, d];
        }
      }
    }
    for (a in 1 : M) {
      for (b in 1 : a) {
        for (c in 1 : b - 1) C[a, b] -= C[a, c] .* C[b, c];
        if (b < a) C[a, b] ./= C[b, b];
      }
      C[a, a] = sqrt(C[a, a]);
      for (c in 1 : a - 1) q[a] -= C[a, c] .* q[c];
      q[a] ./= C[a, a];
      log_det += 2 * sum(log(C[a, a]));
      quadratic -= dot_self(q[a]);
    }
    return -0.5 * (log_det + quadratic / square(sigma));
  }

}
data {
  int<lower=0> N; // rows
  int<lower=0, upper=1> prior_only; // 1: leave the outcome out

  // population-level coefficients, the intercept first where there is one
  int<lower=0> K; // coefficients
  vector[K] b_location; // what b counts from: y_mean for the intercept, otherwise 0
  vector<lower=0>[K] b_scale; // b per unit of b_std
  array[K] int b_prior;
  matrix[K, 3] b_prior_arguments;
  int<lower=0, upper=K> K_free; // coefficients not fixed by a constant() prior
  array[K_free] int b_free; // which
  vector[K_free] b_lower; // bounds that their priors imply
  vector[K_free] b_upper;
  vector[K] b_constant; // values of the fixed ones, less b_location; 0 elsewhere

  // horseshoe: coefficients whose priors share a scale
  int<lower=0, upper=K_free> H; // how many
  array[H] int horseshoe; // which of b
  array[H] int horseshoe_std; // which of b_std
  int horseshoe_prior; // prior of the scale that they share
  vector[3] horseshoe_prior_arguments;

  // grouping factors and their varying columns, those of one factor side by side
  int<lower=1, upper=1> F; // factors
  array[F] int<lower=1> J; // levels of each
  array[F] int<lower=1> M; // varying columns of each
  array[F] int<lower=0, upper=1> correlated;
  array[F] real<lower=0> lkj_eta; // prior of the correlations
  int<lower=0> C; // varying columns of all factors, sum(M)
  vector<lower=0>[C] sd_scale; // sd per unit of sd_std
  array[C] int sd_prior;
  matrix[C, 3] sd_prior_arguments;
  int<lower=0, upper=C> C_free;
  array[C_free] int sd_free;
  vector[C_free] sd_lower;
  vector[C_free] sd_upper;
  vector[C] sd_constant;

  // auxiliary parameters of the family
  int<lower=0> A;
  vector<lower=0>[A] aux_scale; // aux per unit of aux_std
  array[A] int aux_prior;
  matrix[A, 3] aux_prior_arguments;
  int<lower=0, upper=A> A_free;
  array[A_free] int aux_free;
  vector[A_free] aux_lower;
  vector[A_free] aux_upper;
  vector[A] aux_constant;

  // all that the likelihood needs of the rows: sums of products of the outcome y, the columns X and Z, in total and
  // level by level
  real<lower=0> yy;
  vector[K] Xy;
  matrix[K, K] XX;
  array[C] vector[J[1]] Zy;
  array[C] matrix[J[1], K] ZX;
  array[C, C] vector[J[1]] ZZ;
}
transformed data {
  int P = 0; // correlations of all correlated factors
  for (f in 1 : F) {
    P += (correlated[f] * M[f] * (M[f] - 1)) %/% 2;
  }
}
parameters {
  vector<lower=(b_lower - b_location[b_free]) ./ b_scale[b_free],
         upper=(b_upper - b_location[b_free]) ./ b_scale[b_free]>[K_free] b_std;
  vector<lower=sd_lower ./ sd_scale[sd_free], upper=sd_upper ./ sd_scale[sd_free]>[C_free] sd_std;
  vector<lower=aux_lower ./ aux_scale[aux_free], upper=aux_upper ./ aux_scale[aux_free]>[A_free] aux_std;
  vector<lower=-1, upper=1>[P] partial; // canonical partial correlations
  vector<lower=0>[H > 0 ? 1 : 0] horseshoe_global; // scale that the coefficients under a horseshoe share,
  vector<lower=0>[H] horseshoe_local; // what each multiplies it by,
  vector<lower=0>[H > 0 ? 1 : 0] slab; // and the square of how far the large ones may go, all per unit of b_std
}
transformed parameters {
  vector[K] b = b_constant; // the intercept: less b_location, and at the mean of X where X is centred
  vector[C] sd = sd_constant;
  vector[A] aux = aux_constant;
  vector[P] cor; // correlations, row by row below the diagonal
  b[b_free] = b_scale[b_free] .* b_std;
  if (H > 0) { // Piironen & Vehtari 2017: b_std is what is normal(0, 1) times its scale
    vector[H] spread = horseshoe_global[1] * horseshoe_local;
    b[horseshoe] .*= spread .* sqrt(slab[1] ./ (slab[1] + square(spread)));
  }
  sd[sd_free] = sd_scale[sd_free] .* sd_std;
  aux[aux_free] = aux_scale[aux_free] .* aux_std;
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
  vector[K] b_scaled = b ./ b_scale; // per unit of the columns of X
  matrix[C, C] T = identity_matrix(C); // Cholesky factor of the covariance of an effect, in units of y_scale
  if (P > 0) {
    T = cholesky_from_partials(partial, C);
    partial ~ lkj_partials(lkj_eta[1], C);
  }
  T = diag_pre_multiply(sd ./ sd_scale, T);
  for (k in b_free) b_location[k] + b[k] ~ prior(b_prior[k], b_prior_arguments[k]');
  if (H > 0) {
    b_std[horseshoe_std] ~ std_normal();
    horseshoe_local ~ cauchy(0, 1);
    horseshoe_global[1] ~ prior(horseshoe_prior, horseshoe_prior_arguments);
    slab ~ inv_gamma(2, 8); // large ones: student_t(4, 0, 2)
  }
  for (k in sd_free) sd[k] ~ prior(sd_prior[k], sd_prior_arguments[k]');
  for (k in aux_free) aux[k] ~ prior(aux_prior[k], aux_prior_arguments[k]');

  if (prior_only == 0) {
    real sigma = aux[1] / aux_scale[1]; // in units of y_scale
    real rr = yy - 2 * dot_product(Xy, b_scaled) + quad_form(XX, b_scaled); // r'r, r = y - X b
    array[C] vector[J[1]] Zr; // Z'r, level by level
    for (c in 1 : C) Zr[c] = Zy[c] - ZX[c] * b_scaled;
    target += collapsed_log_density(rr, Zr, ZZ, T, sigma, N);
  }
}
