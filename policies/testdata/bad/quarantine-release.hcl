# Who may release.
hostname = "mx.test"

quarantine "a" {
  release = everybody # ERROR: is not a word for release
}
