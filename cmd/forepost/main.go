// Command forepost is the one binary.
package main

func main() {}
