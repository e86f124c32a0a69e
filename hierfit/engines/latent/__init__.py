"""The latent engine: effects of one factor integrated out level by level by quadrature, whatever the family."""
