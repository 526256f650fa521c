"""Where others' alerts come from: folders and feeds, looked at now and then, and what they brought."""
