from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with OWASP's memory (46 MiB), and twice its passes.

    Django's own figures take 100 MiB and 8 threads for each password: guessing at every thread of
    a small server at once would then take its memory before any throttling counts.
    """

    time_cost = 2
    memory_cost = 47_104  # KiB
    parallelism = 1
