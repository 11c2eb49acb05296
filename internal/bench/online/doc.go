// Package online is the scenario of many clients in one group, all online on several nodes: what their sockets hold,
// what a message to all of them costs, and how they come back after the loss of a node. The clients are in processes
// of their own, since one process may hold only so many sockets.
package online
