"""Files and folders that survive kills, full disks and second processes; it knows nothing of runs or of models."""
