"""What is made of recorded runs with scipy and TensorBoard. No program that trains imports it."""
