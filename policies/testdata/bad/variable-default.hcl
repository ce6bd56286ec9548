# A variable has the type that it says, whoever gives the value.
hostname = "mx.test"

variable "limit" { # ERROR: is a number, and its value is a string
  type    = number
  default = "many"
}

policy "p" {
  data {
    tag "large" {
      when = msg.size > var.limit
      add  = ["large"]
    }
  }
}
