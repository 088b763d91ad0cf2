"""Effects of changes of rules on stored cases, kept so that people can read them at the desk."""
