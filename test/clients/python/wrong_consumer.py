"""Code of a user with mistakes: mypy must report each line that ends in `# wrong`, and no other."""

from unbroken import AsyncUnbroken, Unbroken


def follow(client: Unbroken) -> None:
    client.generate(imput="Why is the sky blue?")  # wrong
    client.generate(input="Why is the sky blue?", max_output_tokens="100")  # wrong
    for event in client.follow("gen_1"):
        print(event.text)  # wrong
        if event.type == "text-delta":
            print(event.text)
    print(client.get("gen_1").text.upper())  # wrong


async def follow_async(client: AsyncUnbroken) -> None:
    stream = client.generate(input="Why is the sky blue?")
    print(stream.id)  # wrong
