# A quarantine that is not declared.
hostname = "mx.test"

quarantine "security" {}

policy "p" {
  data {
    quarantine "a" {
      into = quarantine.secuirty # ERROR: Did you mean "security"?
    }
  }
}
