# The when of a filter is a condition.
hostname = "mx.test"

filter "content" "c" {
  words = ["x"]
  when  = msg.size # ERROR: A condition is true or false
}
