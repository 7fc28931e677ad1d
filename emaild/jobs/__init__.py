"""What is done, and when: the schedule, its workers, and the jobs of reading, sending and sweeping."""
