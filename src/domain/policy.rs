//! What may be done. Only `review` makes a `Permit`, and the engine carries out nothing else.
