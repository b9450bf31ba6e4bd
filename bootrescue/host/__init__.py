"""The only code that touches the machine: processes, mounts, loop devices, durable writes."""
