"""Two partners' pictures into one: what may leave, who is who, and fusion without double counting."""
