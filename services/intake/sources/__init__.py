"""Sources as a whole: pausing one, the brake, letting it go on, taking many messages again."""
