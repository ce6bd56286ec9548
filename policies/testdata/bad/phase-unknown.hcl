# Phases have fixed names.
hostname = "mx.test"

policy "p" {
  end {} # ERROR: has no block "end"
}
