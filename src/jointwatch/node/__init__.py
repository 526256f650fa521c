"""The running node: sectors and partners' reports in, alerts and released tracks out, all journalled."""
