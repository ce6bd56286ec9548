# What needs a filter that is not here.
hostname = "mx.test"

policy "p" {
  data {
    tag "a" {
      when = milter.x.hits > 0 # ERROR: found by a filter that this version has not
      add  = ["x"]
    }
  }
}
