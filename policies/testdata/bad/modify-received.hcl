# Received fields are how loops are found.
hostname = "mx.test"

policy "p" {
  data {
    modify "a" {
      remove_header = ["Received"] # ERROR: stay as they are
    }
  }
}
