// hierfit: hierarchical regression, family gaussian, engine collapsed:
// group effects and coefficients are integrated out exactly.
//
//   y[i] ~ normal(eta[i], sigma)
//   eta[i] = X[i] * b + sum over factors f, columns m of Z[i, m] * u_f[level_f[i], m]
//   u_f[j] ~ multi_normal(0, diag(sd_f) * R_f * diag(sd_f)),  R_f ~ lkj_corr(eta_f)
//
// Rendered from glmm.stan.j2 and families/gaussian.stan.j2; edit those and run `make rendered`.
// The formula, its size and all priors are data, so this one program serves every formula of the family.
// X, Z and y arrive divided by their sds, so theta_std is near 1 in size. theta and cor are in the units of the CSV,
// and so are the priors on them.
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

  // A symmetric n x n matrix from the entries on and below its diagonal, row by row, and back.
  matrix symmetric(vector entries, int n) {
    matrix[n, n] whole;
    int i = 0;
    for (a in 1 : n) {
      for (b in 1 : a) {
        i += 1;
        whole[a, b] = entries[i];
        whole[b, a] = entries[i];
      }
    }
    return whole;
  }
  vector lower_half(matrix whole, int n) {
    vector[(n * (n + 1)) %/% 2] entries;
    int i = 0;
    for (a in 1 : n) {
      for (b in 1 : a) {
        i += 1;
        entries[i] = whole[a, b];
      }
    }
    return entries;
  }

  // Inverses of the M x M matrices A_d, all d at once: every entry is a vector over d, in the order of lower_half.
  // After them comes log det A_d. Up to M = 2 in closed form, else by A = L D L' with ones on the diagonal of L.
  array[] vector inverses(array[] vector A, int M) {
    if (M == 1) return {inv(A[1]), log(A[1])};
    if (M == 2) {
      vector[rows(A[1])] det_A = A[1] .* A[3] - square(A[2]);
      return {A[3] ./ det_A, -A[2] ./ det_A, A[1] ./ det_A, log(det_A)};
    }
    int n = size(A);
    array[n] vector[rows(A[1])] LD = A; // L D, on the diagonal D
    array[n] vector[rows(A[1])] L = A; // L, later its inverse, on the diagonal 1 / D
    array[n + 1] vector[rows(A[1])] inverse = append_array(A, A[1 : 1]);
    vector[rows(A[1])] determinant = A[1];
    array[M] int row; // entry [a, b] is number row[a] + b
    for (a in 1 : M) {
      row[a] = (a * (a - 1)) %/% 2;
      for (b in 1 : a - 1) {
        for (c in 1 : b - 1) LD[row[a] + b] -= LD[row[a] + c] .* L[row[b] + c];
        L[row[a] + b] = LD[row[a] + b] .* L[row[b] + b];
        LD[row[a] + a] -= LD[row[a] + b] .* L[row[a] + b];
      }
      L[row[a] + a] = inv(LD[row[a] + a]);
      if (a > 1) determinant .*= LD[row[a] + a];
    }
    for (a in 1 : M) {
      for (b in 1 : a - 1) {
        for (c in b + 1 : a - 1) L[row[a] + b] += L[row[a] + c] .* L[row[c] + b];
        L[row[a] + b] = -L[row[a] + b];
      }
    }
    for (a in 1 : M) {
      for (b in 1 : a) {
        inverse[row[a] + b] = L[row[a] + b];
        if (b < a) inverse[row[a] + b] .*= L[row[a] + a];
        for (c in a + 1 : M) inverse[row[a] + b] += L[row[c] + a] .* L[row[c] + b] .* L[row[c] + c];
      }
    }
    inverse[n + 1] = log(determinant);
    return inverse;
  }

}
data {
  int<lower=0> N; // rows
  int<lower=0, upper=1> prior_only; // 1: leave the outcome out

  // population-level coefficients, the intercept first where there is one
  int<lower=0> K; // coefficients

  // grouping factors and their varying columns, those of one factor side by side
  int<lower=1, upper=1> F; // factors
  array[F] int<lower=1> J; // levels of each
  array[F] int<lower=1> M; // varying columns of each
  array[F] int<lower=0, upper=1> correlated;
  array[F] real<lower=0> lkj_eta; // prior of the correlations
  int<lower=0> C; // varying columns of all factors, sum(M)
  vector[C] Z_at_prior; // the varying columns where priors of sds and correlations speak; zeros: at their centers

  // auxiliary parameters of the family
  int<lower=0> A;

  // theta: K coefficients b, C sds, A auxiliary parameters aux, one after the other
  int<lower=0> T; // how many
  vector[T] theta_location; // what each counts from: y_mean for the intercept; otherwise 0
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

  // coefficients with a normal or flat prior are integrated out: their b is drawn afterwards, and 0 here
  int<lower=0, upper=K> I; // how many
  array[I] int integrated; // which
  array[K - I] int kept; // the others, sampled or constant

  // All that the likelihood needs of the rows. Z_j = Q_j S_j in every level j, Q_j'Q_j = I, S_j upper triangular; of
  // [X, y] the effects can take up q_j = Q_j'[X_j, y_j]. X is centred where the intercept is integrated out, and y
  // less a multiple of the integrated columns. Levels with the same S are a class.
  int<lower=1> D; // classes
  vector<lower=0>[D] levels; // levels of each
  array[C, C] vector[D] triangle; // their S
  int<lower=0> E; // rows of q: a class may have fewer than levels, with the same products
  array[E] int<lower=1> class;
  array[C] matrix[E, K + 1] q;
  matrix[K + 1, K + 1] within; // sum over j of the products of [X_j, y_j] - Q_j q_j
  matrix[K + 1, K + 1] prior_products; // normal priors are rows of [X, y] with an sd of 1; their products
}
transformed data {
  int P = 0; // correlations of all correlated factors
  vector[K] b_scale = head(theta_scale, K);
  vector[C] sd_scale = tail(head(theta_scale, K + C), C); // a slice of nothing behind the end is refused
  vector[T_free] free_scale = theta_scale[theta_free];
  for (f in 1 : F) {
    P += (correlated[f] * M[f] * (M[f] - 1)) %/% 2;
  }
  int pairs_of_columns = ((K + 1) * (K + 2)) %/% 2;
  int halves = (C * (C + 1)) %/% 2;
  array[halves] matrix[D, halves + 1] SS; // entries of S V S' + sigma^2 I are SS times those of V and sigma^2
  array[halves] matrix[pairs_of_columns, D] qq; // sums over the levels of a class of products of two columns of q
  matrix[K + 1, I + 1] fold = rep_matrix(0, K + 1, I + 1); // columns of [X, y] to those that stay: [X integrated, y - X kept]
  for (k in 1 : I) fold[integrated[k], k] = 1;
  fold[K + 1, I + 1] = 1;
  {
    int i = 0;
    for (a in 1 : C) {
      for (b in 1 : a) {
        i += 1;
        for (d in 1 : D) {
          matrix[C, C] product = to_vector(triangle[a, : , d]) * to_row_vector(triangle[b, : , d]);
          SS[i, d] = append_row(lower_half(product + product' - diag_matrix(diagonal(product)), C), a == b)';
        }
        qq[i] = rep_matrix(0, pairs_of_columns, D);
        for (e in 1 : E) {
          matrix[K + 1, K + 1] product = q[a, e]' * q[b, e];
          qq[i, : , class[e]] += lower_half(a == b ? product : product + product', K + 1);
        }
      }
    }
  }
}
parameters {
  vector<lower=theta_lower, upper=theta_upper>[T_free] theta_std;
  vector<lower=-1, upper=1>[P] partial; // canonical partial correlations
  vector<lower=0>[H > 0 ? 1 : 0] horseshoe_global; // scale that the coefficients under a horseshoe share,
  vector<lower=0>[H] horseshoe_local; // what each multiplies it by,
  vector<lower=0>[H > 0 ? 1 : 0] slab; // and the square of how far the large ones may go, all per unit of theta_std
}
transformed parameters {
  vector[T] theta = theta_constant; // less theta_location; intercepts at the mean of X where these are centred
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
  matrix[C, C] L = identity_matrix(C); // Cholesky factor of the covariance of an effect, in units of y_scale
  if (P > 0) {
    L = cholesky_from_partials(partial, C);
    partial ~ lkj_partials(lkj_eta[1], C);
  }
  L = diag_pre_multiply(sd_scaled, L);
  if (max(abs(Z_at_prior)) > 0) {
    at_prior[K + 1] = sd_scale[1] * first_sd(L, Z_at_prior);
    target += change_of_place(theta[K + 1] / at_prior[K + 1], C, lkj_eta[1]);
  }
  for (t in theta_free) theta_location[t] + at_prior[t] ~ prior(theta_prior[t], theta_prior_arguments[t]');
  if (H > 0) {
    theta_std[horseshoe_std] ~ std_normal();
    horseshoe_local ~ cauchy(0, 1);
    horseshoe_global[1] ~ prior(horseshoe_prior, horseshoe_prior_arguments);
    slab ~ inv_gamma(2, 8); // large ones: student_t(4, 0, 2)
  }

  if (prior_only == 0) {
    real sigma = scaled[K + C + 1]; // in units of y_scale
    // y ~ normal(X b, V), V = Z_j L L' Z_j' + sigma^2 I in blocks, with b integrated out. In the space of q_j, V is
    // A_j = S_j L L' S_j' + sigma^2 I, outside sigma^2 I, and the products of [X, y] in the metric of its inverse are
    //   gram = within / sigma^2 + sum over j of q_j' A_j^-1 q_j + prior_products.
    vector[halves + 1] V = append_row(lower_half(multiply_lower_tri_self_transpose(L), C), square(sigma));
    array[halves] vector[D] covariance; // entries of A
    array[halves + 1] vector[D] inverse; // of A, and log det A
    matrix[K + 1, K + 1] gram;
    matrix[I + 1, I + 1] G; // Cholesky factor of gram, kept coefficients taken from y
    {
      vector[pairs_of_columns] products = zeros_vector(pairs_of_columns);
      for (k in 1 : halves) covariance[k] = SS[k] * V;
      inverse = inverses(covariance, C);
      for (k in 1 : halves) products += qq[k] * inverse[k];
      gram = symmetric(products, K + 1) + within / square(sigma) + prior_products;
    }
    if (I < K) {
      matrix[K + 1, I + 1] taken = fold;
      taken[kept, I + 1] = -b_scaled[kept];
      G = cholesky_decompose(quad_form_sym(gram, taken));
    } else {
      G = cholesky_decompose(gram);
    }
    target += -(N - J[1] * C) * log(sigma) - 0.5 * dot_product(levels, inverse[halves + 1]);
    // det of the coefficients' precision, and what they leave of y'V^-1 y
    target += -sum(log(diagonal(G)[1 : I])) - 0.5 * square(G[I + 1, I + 1]);
  }
}
