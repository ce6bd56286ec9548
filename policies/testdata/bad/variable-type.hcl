# A value from outside has the type that the variable says.
hostname = "mx.test"

variable "n" { # ERROR: The value that was given for n is no number
  type = number
}
