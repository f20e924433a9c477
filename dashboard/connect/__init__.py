"""Ready text by which a program, a pipeline or an agent calls one routine.

- `snippets`: the text for each system, from templates/connect/snippets/

Every text takes the key from a variable of its system, sends an Idempotency-Key that is the same
for a repeated call and new for the next intent, and fails with the sentence of the answer.
"""
