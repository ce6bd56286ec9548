// Package relay assembles the SMTP side: it adapts what neighbours ask of each
// other, the route table to the queue's Router, the policy to the queue's Judge.
package relay
