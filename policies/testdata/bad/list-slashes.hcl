# Patterns in the form of other programs.
hostname = "mx.test"

# FILE /etc/lists/a.txt: viagra | /pills/i | /casino/i |
# IN /etc/lists/a.txt 2 WARNING: Write (?i)pills
list "file" {
  type = regex
  file = "lists/a.txt"
}

list "items" {
  type  = regex
  items = ["/wp-admin/", "/viagra/iu"] # WARNING: Write "(?i)viagra"
}

policy "p" {
  data {
    tag "a" {
      when = listed(msg.subject, list.file) || listed(msg.subject, list.items) || matches(msg.subject, "/x/i") # WARNING: Write "(?i)x"
      add  = ["a"]
    }
  }
}
