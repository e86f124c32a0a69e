"""How each engine sees a design: which effects with their means, which rows together, what is integrated out."""
