# Every pattern of a filter that is none, at its place.
hostname = "mx.test"

filter "content" "a" {
  patterns = [
    "(a",       # ERROR: missing closing
    "(?<!x)b",  # ERROR: looks around
    "/offer/i", # WARNING: Write "(?i)offer"
    "fine",
  ]
}
