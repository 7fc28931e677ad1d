"""What the business asks of an e-mail server: answers, forwards, notices, transcripts.

Each service is one module. It plans what it changes; `call` commits that, and rules commit it with their own.
"""
