"""What a user can ask of the figures: one function for each question, run inside `stores.figures`.

Rule: counts are 0, lists empty and everything else None where there is nothing to count.
"""
