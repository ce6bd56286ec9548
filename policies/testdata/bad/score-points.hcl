# points() is no condition.
hostname = "mx.test"

policy "p" {
  data {
    tag "a" {
      when = points(1, true) > 0 # ERROR: stands in a score rule
      add  = ["x"]
    }
  }
}
