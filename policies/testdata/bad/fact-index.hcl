# Facts have no index.
hostname = "mx.test"

policy "p" {
  data {
    tag "a" {
      when = msg.to["a"] == "b" # ERROR: FP0207
      add  = ["x"]
    }
  }
}
