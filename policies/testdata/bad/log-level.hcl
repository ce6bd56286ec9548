# Levels are words.
hostname = "mx.test"

log {
  level = verbose # ERROR: is not a word for level
}
